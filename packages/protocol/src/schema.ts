/**
 * The smallest schema language that can state our messages: it checks an unknown value in place, infers its
 * TypeScript type, and describes itself, so that the wire format can be hashed and documented.
 */

/** What a schema accepts, as plain data: hashed by the version test and printed by the docs. */
export type Shape = string | { readonly [field: string]: Shape } | readonly Shape[]

export interface Schema<T> {
  /** Returns what is wrong with `value`, in words that follow its path, or undefined when it fits. */
  readonly check: (value: unknown, path: string) => string | undefined
  readonly shape: Shape
  /** Never present; carries the type for {@link Infer}. */
  readonly type?: T
}

export type Infer<S> = S extends Schema<infer T> ? T : never

type Fields = Readonly<Record<string, Schema<unknown>>>
type Simplify<T> = { [K in keyof T]: T[K] }
type ObjectOf<R extends Fields, O extends Fields> = Simplify<{ [K in keyof R]: Infer<R[K]> } & { [K in keyof O]?: Infer<O[K]> }>

const schema = <T>(shape: Shape, check: Schema<T>['check']): Schema<T> => ({ shape, check })

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)

/** Any value that the codec can carry. */
export const anything: Schema<unknown> = schema('any', () => undefined)

export const boolean: Schema<boolean> = schema('boolean', (value, path) =>
  typeof value === 'boolean' ? undefined : `${path} must be true or false`,
)

/** An integer from `min` to 2^53 - 1. */
export const integer = (min = 0): Schema<number> =>
  schema(`integer >= ${min}`, (value, path) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min
      ? undefined
      : `${path} must be an integer of at least ${min}`,
  )

/** A string of `min` to `max` UTF-16 code units. */
export const string = (max: number, min = 0): Schema<string> =>
  schema(`string ${min}..${max}`, (value, path) =>
    typeof value !== 'string'
      ? `${path} must be a string`
      : value.length < min || value.length > max
        ? `${path} must have ${min} to ${max} characters`
        : undefined,
  )

export const literal = <const T extends string>(text: T): Schema<T> =>
  schema(`"${text}"`, (value, path) => (value === text ? undefined : `${path} must be "${text}"`))

/** An array, of at most `max` items if that is given. */
export const array = <T>(item: Schema<T>, max = Number.POSITIVE_INFINITY): Schema<T[]> =>
  schema(max === Number.POSITIVE_INFINITY ? [item.shape] : [item.shape, `up to ${max}`], (value, path) => {
    if (!Array.isArray(value)) return `${path} must be an array`
    if (value.length > max) return `${path} must have at most ${max} items`
    for (let i = 0; i < value.length; i++) {
      const wrong = item.check(value[i], `${path}[${i}]`)
      if (wrong) return wrong
    }
    return undefined
  })

/** An object used as a map from names of up to `nameLength` UTF-16 code units to `item`, with at most `max` entries. */
export const record = <T>(item: Schema<T>, max: number, nameLength: number): Schema<Record<string, T>> =>
  schema({ [`* 0..${nameLength}`]: item.shape, entries: `up to ${max}` }, (value, path) => {
    if (!isObject(value)) return `${path} must be an object`
    const keys = Object.keys(value)
    if (keys.length > max) return `${path} must have at most ${max} entries`
    for (const key of keys) {
      if (key.length > nameLength) return `${path} has a name of more than ${nameLength} characters`
      const wrong = item.check(value[key], `${path}.${key}`)
      if (wrong) return wrong
    }
    return undefined
  })

/** An object with these fields; fields it does not know are left alone, so that a newer peer can add some. */
export const object = <R extends Fields, const O extends Fields = Record<never, never>>(
  required: R,
  optional: O = {} as O,
): Schema<ObjectOf<R, O>> => {
  const requiredFields = Object.entries(required)
  const optionalFields = Object.entries(optional)
  const shape: Record<string, Shape> = {}
  for (const [name, field] of requiredFields) shape[name] = field.shape
  for (const [name, field] of optionalFields) shape[`${name}?`] = field.shape
  return schema(shape, (value, path) => {
    if (!isObject(value)) return `${path || 'message'} must be an object`
    const prefix = path && `${path}.`
    for (const [name, field] of requiredFields) {
      if (value[name] === undefined) return `${prefix}${name} is missing`
      const wrong = field.check(value[name], prefix + name)
      if (wrong) return wrong
    }
    for (const [name, field] of optionalFields) {
      if (value[name] === undefined) continue
      const wrong = field.check(value[name], prefix + name)
      if (wrong) return wrong
    }
    return undefined
  })
}
