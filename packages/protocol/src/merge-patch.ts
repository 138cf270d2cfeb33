/**
 * What changes a `Document` by a JSON merge patch: members that are left out stay, and `null` removes one that may be absent.
 * Arrays are replaced as a whole.
 */
export type MergePatch<Document> = Document extends readonly unknown[] | Uint8Array
  ? Document
  : Document extends object
    ? { readonly [Name in keyof Document]?: MergePatch<Document[Name]> | Removal<Document, Name> }
    : Document

/** Members that are optional, and those of an index signature, can be removed. */
type Removal<Document, Name extends keyof Document> = Record<never, never> extends Pick<Document, Name> ? null : never

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)

/**
 * The document after a JSON merge patch (RFC 7396). The patch is not changed, nor is the document: what the patch does not touch is
 * shared by the document before and after, everything else is new. Bytes, which MessagePack has, are replaced as a whole like arrays.
 *
 * `own` has the objects that nobody but the caller knows: they are changed in place, and what is new is added to them. So a wide
 * document that is patched many times, and seldom looked at, is not copied each time.
 */
export const mergePatch = (document: unknown, patch: unknown, own?: WeakSet<object>): unknown => {
  if (!isObject(patch)) return patch
  const merged: Record<string, unknown> = isObject(document) ? (own?.has(document) ? document : { ...document }) : {}
  own?.add(merged)
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) delete merged[name]
    else setMember(merged, name, mergePatch(Object.hasOwn(merged, name) ? merged[name] : undefined, change, own))
  }
  return merged
}

/** An assignment to `__proto__` would be something else than a member of that name. */
const setMember = (object: Record<string, unknown>, name: string, value: unknown): void => {
  if (name !== '__proto__') object[name] = value
  else Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
}
