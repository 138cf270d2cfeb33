/**
 * Data as others will read it: without members that are undefined, with what dates and the like are written as. A merge patch means
 * the same to this process and to clients only when it is the same. Byte arrays stay what they are.
 */
export const writtenData = (data: unknown): unknown => {
  if (typeof data !== 'object' || data === null || data instanceof Uint8Array) return data
  if ('toJSON' in data && typeof data.toJSON === 'function') return writtenData(data.toJSON())
  if (Array.isArray(data)) return data.map((item) => writtenData(item) ?? null)
  const members = Object.entries(data).map(([name, value]): [string, unknown] => [name, writtenData(value)])
  return Object.fromEntries(members.filter(([, value]) => value !== undefined && typeof value !== 'function'))
}
