// Text of JavaScript or TypeScript cut into tokens, as far as the bundle and the roll-up of types need it: comments, strings, words.
// Joined again the tokens are the text. A slash begins a regular expression where no value can have ended.

const SPACE = /\s+/y
const WORD = /[\p{ID_Start}$_#][\p{ID_Continue}$\u200c\u200d]*|\d[\w.]*/uy
const COMMENT = /\/\/.*|\/\*[^]*?\*\//y
const STRING = /'(?:\\[^]|[^'\\\n])*'|"(?:\\[^]|[^"\\\n])*"/y
const TEMPLATE = /(?:\\[^]|\$(?!\{)|[^\\`$])*(`|\$\{)/y
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/\w*/y
/** Behind these words an expression begins. */
const BEFORE_EXPRESSION = new Set(['return', 'typeof', 'case', 'in', 'of', 'new', 'delete', 'void', 'throw', 'await', 'yield', 'else', 'do', 'instanceof'])

/** @returns {{ kind: 'space' | 'comment' | 'string' | 'template' | 'regex' | 'word' | 'punct', text: string }[]} */
export function tokens(text) {
  const out = []
  /** one entry for each `${` we are in: how many braces are open inside it */
  const holes = []
  let value = false
  let at = 0
  const add = (kind, end, ends = true) => {
    out.push({ kind, text: text.slice(at, end) })
    at = end
    if (kind !== 'space' && kind !== 'comment') value = ends
  }
  const match = (pattern) => {
    pattern.lastIndex = at
    return pattern.exec(text)
  }
  const template = (from) => {
    TEMPLATE.lastIndex = from
    const found = TEMPLATE.exec(text)
    if (found === null) throw new SyntaxError(`template without end: ${text.slice(at, at + 60)}`)
    if (found[1] === '${') holes.push(0)
    add('template', TEMPLATE.lastIndex, found[1] === '`')
  }
  while (at < text.length) {
    const char = text[at]
    if (match(SPACE)) add('space', SPACE.lastIndex)
    else if (match(COMMENT)) add('comment', COMMENT.lastIndex)
    else if (match(STRING)) add('string', STRING.lastIndex)
    else if (char === '`') template(at + 1)
    else if (char === '}' && holes.at(-1) === 0) {
      holes.pop()
      template(at + 1)
    } else if (char === '/' && !value && match(REGEX)) add('regex', REGEX.lastIndex)
    else if (match(WORD)) add('word', WORD.lastIndex, !BEFORE_EXPRESSION.has(text.slice(at, WORD.lastIndex)))
    else {
      if (holes.length > 0 && (char === '{' || char === '}')) holes[holes.length - 1] += char === '{' ? 1 : -1
      add('punct', at + 1, char === ')' || char === ']' || char === '}')
    }
  }
  return out
}
