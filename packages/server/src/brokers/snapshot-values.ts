/** Numbers that JSON has no word for. */
const NUMBERS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '-0': -0,
}

const nameOf = (value: number): string => (Object.is(value, -0) ? '-0' : String(value))

const isWritten = (value: number): boolean => Number.isFinite(value) && !Object.is(value, -0)

/**
 * A value as one that JSON carries without loss: byte arrays are `{"$bytes": "<base64>"}`, numbers beyond JSON `{"$number": "NaN"}`,
 * and a name that begins with a dollar has one more, so that nothing else looks like them.
 */
export const toJsonValue = (value: unknown): unknown => {
  if (typeof value === 'number') return isWritten(value) ? value : { $number: nameOf(value) }
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array)
    return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
  if (Array.isArray(value)) return value.map(toJsonValue)
  // Clients get what it is written as, too.
  if ('toJSON' in value && typeof value.toJSON === 'function') return toJsonValue(value.toJSON())
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name.startsWith('$') ? `$${name}` : name, toJsonValue(item)]),
  )
}

/** What {@link toJsonValue} was given. */
export const fromJsonValue = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(fromJsonValue)
  if ('$bytes' in value) return Uint8Array.from(Buffer.from(String(value.$bytes), 'base64'))
  if ('$number' in value) return NUMBERS[String(value.$number)]
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name.startsWith('$') ? name.slice(1) : name, fromJsonValue(item)]),
  )
}
