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

interface DocumentChange {
  readonly draft: PublicationDraft
  /** What the draft takes. */
  readonly draftBytes: number
  readonly now: number
  /** The objects of the document before that nobody has seen: a patch may change them in place. */
  readonly own: WeakSet<object>
}

/**
 * The document after a draft. A patch adds no more than its own size, so that a document is measured only when the sum of that may be
 * too much, and not with every change. Throws `document_too_large`; the document before is untouched then.
 */
export const nextDocument = (
  before: KeptDocument | undefined,
  { draft, draftBytes, now, own }: DocumentChange,
  { ttlMs, maxDocumentBytes }: DocumentOptions,
): KeptDocument => {
  const made = { time: now, expiresAt: now + ttlMs }
  const maxBytes = draft.patch ? (before?.maxBytes ?? 0) + draftBytes : draftBytes
  if (maxBytes <= maxDocumentBytes)
    return { value: draft.patch ? mergePatch(before?.value, draft.data, own) : draft.data, maxBytes, ...made }
  const value = draft.patch ? mergePatch(before?.value, draft.data) : draft.data
  const bytes = jsonSize(value)
  if (bytes > maxDocumentBytes) throw new FusewireError('document_too_large')
  return { value, maxBytes: bytes, ...made }
}
