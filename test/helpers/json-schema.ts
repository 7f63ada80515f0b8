// As much of JSON Schema (2020-12) as fixtures/schema.json uses. A keyword that is not known here throws: nothing passes by being ignored.

export type Schema = boolean | { readonly [keyword: string]: unknown }

/** What is wrong with `value` by `schema`, one line each; `root` is where references point into. */
export function validate(schema: Schema, value: unknown, root: Schema = schema, path = '$'): string[] {
  if (schema === true) return []
  if (schema === false) return [`${path}: nothing may stand here`]
  return Object.entries(schema).flatMap(([keyword, wanted]) => {
    const check = KEYWORDS[keyword]
    if (check === undefined) throw new Error(`JSON Schema keyword ${keyword} is not known here`)
    return check(wanted as never, value, { schema, root, path })
  })
}

interface Place {
  readonly schema: { readonly [keyword: string]: unknown }
  readonly root: Schema
  readonly path: string
}
type Check = (wanted: never, value: unknown, place: Place) => string[]
type Fields = { readonly [name: string]: unknown }

const KEYWORDS: { readonly [keyword: string]: Check } = {
  $schema: () => [],
  $defs: () => [],
  $ref: (pointer: string, value, { root, path }) => validate(resolve(root, pointer), value, root, path),
  type: (type: string, value, { path }) => told(typeOf(value) === type || (type === 'number' && typeof value === 'number'), path, `is no ${type}`),
  const: (wanted: unknown, value, { path }) => told(value === wanted, path, `is not ${JSON.stringify(wanted)}`),
  enum: (list: readonly unknown[], value, { path }) => told(list.includes(value), path, `is none of ${JSON.stringify(list)}`),
  minimum: (least: number, value, { path }) => told(typeof value !== 'number' || value >= least, path, `is below ${least}`),
  maximum: (most: number, value, { path }) => told(typeof value !== 'number' || value <= most, path, `is above ${most}`),
  minLength: (least: number, value, { path }) => told(typeof value !== 'string' || Array.from(value).length >= least, path, `is shorter than ${least}`),
  pattern: (source: string, value, { path }) => told(typeof value !== 'string' || new RegExp(source, 'u').test(value), path, `does not match ${source}`),
  minItems: (least: number, value, { path }) => told(!Array.isArray(value) || value.length >= least, path, `has fewer than ${least} items`),
  prefixItems: (schemas: readonly Schema[], value, { root, path }) => listOf(value).slice(0, schemas.length).flatMap((item, i) => validate(schemas[i]!, item, root, `${path}[${i}]`)),
  items: (schema: Schema, value, { schema: { prefixItems }, root, path }) => {
    const from = Array.isArray(prefixItems) ? prefixItems.length : 0
    return listOf(value).slice(from).flatMap((item, i) => validate(schema, item, root, `${path}[${from + i}]`))
  },
  required: (names: readonly string[], value, { path }) => names.flatMap((name) => told(!isObject(value) || Object.hasOwn(value, name), path, `has no ${name}`)),
  properties: (schemas: { readonly [name: string]: Schema }, value, { root, path }) =>
    fieldsOf(value).flatMap(([name, field]) => (Object.hasOwn(schemas, name) ? validate(schemas[name]!, field, root, `${path}.${name}`) : [])),
  additionalProperties: (schema: Schema, value, { schema: { properties }, root, path }) =>
    fieldsOf(value).flatMap(([name, field]) => (Object.hasOwn((properties ?? {}) as Fields, name) ? [] : validate(schema, field, root, `${path}.${name}`))),
  // Of several alternatives the one that comes closest tells what is wrong.
  oneOf: (schemas: readonly Schema[], value, { root, path }) => {
    const results = schemas.map((schema) => validate(schema, value, root, path)).sort((a, b) => a.length - b.length)
    return results[1]?.length === 0 ? [`${path}: more than one alternative matches`] : results[0]!
  },
}

function told(well: boolean, path: string, what: string): string[] {
  return well ? [] : [`${path}: ${what}`]
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}

function isObject(value: unknown): value is Fields {
  return typeOf(value) === 'object'
}

function fieldsOf(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : []
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** `#/$defs/name` */
function resolve(root: Schema, pointer: string): Schema {
  return pointer.split('/').slice(1).reduce<unknown>((at, name) => (at as Fields)[name], root) as Schema
}
