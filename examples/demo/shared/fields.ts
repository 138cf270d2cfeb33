/** The fields of an object that came over the wire; empty for anything that is no object. */
export const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

export const isText = (value: unknown, maxLength: number): value is string =>
  typeof value === 'string' && value.length <= maxLength && value.trim() !== ''

export const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

export const isNumbers = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every(isNumber)
