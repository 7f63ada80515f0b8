// All declarations that an entry file's public names need, in one .d.ts without imports. Only what is reached from them goes in; two private names
// that are the same in two modules get a number; what cannot be told apart safely is an error, never a guess.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { tokens } from './vendor-tokens.js'

const DECLARES = new Set(['interface', 'type', 'class', 'const', 'let', 'var', 'function', 'enum', 'namespace'])
/** Ended by a closing brace; all others by a semicolon. */
const BODIED = new Set(['interface', 'class', 'enum', 'namespace'])
/** A name of these could hide a global type from another module. */
const TYPES = new Set(['interface', 'type', 'class', 'enum', 'namespace'])

/** `entry`: a .d.ts file as tsc writes it. */
export function rollUp(entry, head) {
  const modules = new Map()
  load(resolve(entry), modules)
  const publics = [...exportsOf(resolve(entry), modules)].sort(([a], [b]) => (a < b ? -1 : 1))
  const reached = reach(publics.map(([, target]) => target), modules)
  const names = rename(reached, new Set(publics.map(([name]) => name)), publics)
  const body = reached.map((statement) => written(statement, names)).join('\n')
  const kinds = (wanted) => publics.filter(([, target]) => (target.kind === 'interface' || target.kind === 'type') === wanted)
  const list = (entries) => entries.map(([name, target]) => (names.get(target) === name ? name : `${names.get(target)} as ${name}`)).join(', ')
  return `${head}\n\n${body}\n\nexport { ${list(kinds(false))} };\nexport type { ${list(kinds(true))} };\n`
}

/** A module's statements and what its names mean, and those of all it names. Order: what is imported stands before. */
function load(path, modules) {
  if (modules.has(path)) return
  const module = { path, statements: [], locals: new Map(), imports: new Map(), exports: new Map(), stars: [] }
  modules.set(path, module)
  const all = statementsOf(readFileSync(path, 'utf8'))
  const ordered = []
  for (const list of all) read(list, module, ordered)
  for (const target of ordered) load(target, modules)
  // Map keeps the order of insertion: this module now goes behind those it imports.
  modules.delete(path)
  modules.set(path, module)
}

function read(list, module, ordered) {
  const text = list.map((token) => token.text).join('').trim()
  const code = list.filter(({ kind }) => kind !== 'comment' && kind !== 'space')
  if (code.length === 0) return
  const from = /\bfrom\s*['"](\.[^'"]+)\.js['"];$/.exec(text)
  const target = from === null ? undefined : resolve(dirname(module.path), `${from[1]}.d.ts`)
  if (target !== undefined) ordered.push(target)
  const flat = code.map((token) => token.text).join(' ')
  if (code[0].text === 'import') {
    const named = /^import (?:type )?\{ (.*) \} from/.exec(flat)
    if (named === null || target === undefined) throw new Error(`${module.path}: cannot roll up ${text}`)
    for (const [imported, local] of pairs(named[1])) module.imports.set(local, { path: target, name: imported })
  } else if (/^export (type )?\{/.test(flat)) {
    for (const [name, as] of pairs(/\{(.*)\}/.exec(flat)[1])) module.exports.set(as, target === undefined ? { local: name } : { path: target, name })
  } else if (/^export \*/.test(flat)) {
    if (target === undefined || !/^export \* from/.test(flat)) throw new Error(`${module.path}: cannot roll up ${text}`)
    module.stars.push(target)
  } else {
    const at = code.findIndex(({ text: word }) => DECLARES.has(word))
    const name = code[at + 1]?.text
    if (at < 0 || code.some(({ text: word }) => word === 'import')) throw new Error(`${module.path}: cannot roll up ${text.slice(0, 200)}`)
    const statement = { module, kind: code[at].text, name, list }
    module.statements.push(statement)
    // Overloads are several statements of one name.
    module.locals.set(name, [...module.locals.get(name) ?? [], statement])
    if (code[0].text === 'export') module.exports.set(name, { local: name })
  }
}

/** Names in braces: `a`, `type a`, `a as b`. */
function pairs(text) {
  return text.split(',').map((one) => one.trim().replace(/^type /, '').split(' as ')).filter(([name]) => name !== '').map(([name, as = name]) => [name.trim(), as.trim()])
}

/** Top-level statements, each with the comments before it. */
function statementsOf(text) {
  const out = []
  let list = []
  let depth = 0
  for (const token of tokens(text)) {
    list.push(token)
    if (token.kind !== 'punct') continue
    if ('{(['.includes(token.text)) depth++
    if ('})]'.includes(token.text)) depth--
    const first = list.find(({ kind, text: word }) => kind === 'word' && word !== 'export' && word !== 'declare' && word !== 'abstract')?.text
    if (depth > 0 || !(token.text === ';' || (token.text === '}' && BODIED.has(first)))) continue
    out.push(list)
    list = []
  }
  if (list.some(({ kind }) => kind !== 'space' && kind !== 'comment')) throw new Error(`a statement without end: ${list.map((token) => token.text).join('').slice(0, 200)}`)
  return out
}

/** Public name → its declaration. */
function exportsOf(path, modules) {
  const module = modules.get(path)
  const out = new Map(module.stars.flatMap((star) => [...exportsOf(star, modules)]))
  for (const name of module.exports.keys()) out.set(name, resolveExport(path, name, modules))
  return out
}

function resolveExport(path, name, modules) {
  const module = modules.get(path)
  const found = module.exports.get(name)
  if (found?.path !== undefined) return resolveExport(found.path, found.name, modules)
  if (found !== undefined) return resolveLocal(module, found.local, modules) ?? fail(path, name)
  for (const star of module.stars) if (exportsOf(star, modules).has(name)) return resolveExport(star, name, modules)
  return fail(path, name)
}

function fail(path, name) {
  throw new Error(`${path} has no ${name}`)
}

/** The first declaration a name stands for in a module; undefined for globals. */
function resolveLocal(module, name, modules) {
  const imported = module.imports.get(name)
  return imported === undefined ? module.locals.get(name)?.[0] : resolveExport(imported.path, imported.name, modules)
}

/** Declarations needed by these, in the order of their modules. Fills in what each statement's words mean. */
function reach(targets, modules) {
  const done = new Set()
  const queue = [...targets]
  for (let one = queue.pop(); one !== undefined; one = queue.pop()) {
    if (done.has(one)) continue
    done.add(one)
    queue.push(...one.module.locals.get(one.name))
    one.meaning = new Map()
    one.free = new Set()
    for (const word of new Set(references(one.list).map(([, text]) => text))) {
      const target = resolveLocal(one.module, word, modules)
      if (target === undefined) one.free.add(word)
      else {
        one.meaning.set(word, target)
        queue.push(target)
      }
    }
  }
  return [...modules.values()].flatMap(({ statements }) => statements.filter((statement) => done.has(statement)))
}

/** The words of a statement that may refer to something: no names of members, no members of something. */
function references(list) {
  const code = list.map((token, i) => [i, token.text, token.kind]).filter(([, , kind]) => kind !== 'space' && kind !== 'comment')
  return code.filter(([, , kind], k) => {
    if (kind !== 'word' || code[k - 1]?.[1] === '.') return false
    const after = code[k + 1]?.[1] === '?' ? code[k + 2]?.[1] : code[k + 1]?.[1]
    return after !== ':'
  })
}

/** Declaration → its name in the one file. All declarations of one name in one module keep together. */
function rename(statements, taken, publics) {
  const names = new Map()
  const free = new Set(statements.flatMap((statement) => [...statement.free]))
  for (const [name, target] of publics) {
    if (TYPES.has(target.kind) && free.has(name)) throw new Error(`${name} is public here and a global elsewhere`)
    if (!names.has(target)) names.set(target, name)
  }
  for (const statement of statements) {
    const first = statement.module.locals.get(statement.name)[0]
    if (!names.has(first)) {
      let name = statement.name
      for (let n = 2; taken.has(name) || (TYPES.has(statement.kind) && free.has(name)); n++) name = `${statement.name}_${n}`
      taken.add(name)
      names.set(first, name)
    }
    names.set(statement, names.get(first))
  }
  return names
}

function written(statement, names) {
  const { list, meaning } = statement
  const at = new Map(references(list).map(([i, text]) => [i, meaning.get(text)]))
  const renamed = list.map((token, i) => {
    const target = at.get(i)
    return target === undefined ? token.text : names.get(target)
  }).join('')
  const text = renamed.replace(/^\s+/, '').replace(/^\/\/ SPDX.*\n/, '').replace(/^((?:\s|\/\*[^]*?\*\/|\/\/.*\n)*)export /, '$1').replace(/^((?:\s|\/\*[^]*?\*\/|\/\/.*\n)*)(const|let|var|function|class|abstract|enum|namespace)\b/, '$1declare $2')
  return text.trimEnd()
}
