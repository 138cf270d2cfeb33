import { FusewireError, jsonSize, mergePatch } from '@fusewire/protocol'
import type { DocumentOptions, PublicationDraft } from '../ports/broker.ts'

/** A channel's document as it stands. */
export interface KeptDocument {
  readonly value: unknown
  /** Its size in bytes of JSON is not more than this. */
  readonly maxBytes: number
  /** When it was changed last, in milliseconds since 1970. */
  readonly time: number
  readonly expiresAt: number
}

/**
 * The document after a draft that takes `draftBytes`. A patch adds no more than its own size, so that a document is measured only when
 * the sum of that may be too much, and not with every change. Throws `document_too_large`.
 */
export const nextDocument = (
  before: KeptDocument | undefined,
  { draft, draftBytes, now }: { readonly draft: PublicationDraft; readonly draftBytes: number; readonly now: number },
  { ttlMs, maxDocumentBytes }: DocumentOptions,
): KeptDocument => {
  const value = draft.patch ? mergePatch(before?.value, draft.data) : draft.data
  let maxBytes = draft.patch ? (before?.maxBytes ?? 0) + draftBytes : draftBytes
  if (maxBytes > maxDocumentBytes) maxBytes = jsonSize(value)
  if (maxBytes > maxDocumentBytes) throw new FusewireError('document_too_large')
  return { value, maxBytes, time: now, expiresAt: now + ttlMs }
}
