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
 * The document after a JSON merge patch (RFC 7396). Neither argument is changed: what the patch does not touch is shared by the
 * document before and after, everything else is new. Bytes, which MessagePack has, are replaced as a whole like arrays.
 */
export const mergePatch = (document: unknown, patch: unknown): unknown => {
  if (!isObject(patch)) return patch
  const members = isObject(document) ? document : {}
  const changed = Object.entries(patch).map(([name, value]) => {
    return [name, mergePatch(Object.hasOwn(members, name) ? members[name] : undefined, value)] as const
  })
  // Spread, because an assignment to `__proto__` would be something else than a member of that name.
  const merged: Record<string, unknown> = { ...members, ...Object.fromEntries(changed) }
  for (const [name, value] of changed) if (value === null) delete merged[name]
  return merged
}
