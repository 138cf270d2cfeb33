import type { PublicationDraft, PublishRequest } from '@fusewire/engine'
import { acceptClientMessage, FusewireError, type Position } from '@fusewire/protocol'
import type { MessageLimits } from './api-limits.ts'
import type { CommandContext } from './command.ts'

interface Input {
  readonly data: unknown
  readonly tags?: Record<string, string>
  readonly patch?: boolean
}

/** Holds a publication of the API to the rules of one that comes as a message: what passes here can be sent to every client. */
export const draftOf = ({ data, tags, patch }: Input, channel: string, { maxDepth }: MessageLimits): PublicationDraft => {
  const draft: PublicationDraft = { data, ...(tags && { tags }), ...(patch && { patch }) }
  acceptClientMessage({ type: 'publish', channel, ...draft }, maxDepth)
  return draft
}

type MessageContext = Pick<CommandContext, 'requestBytes' | 'limits'>

/** For bodies that may carry more than one message: each of them has the size limit of a message. */
export const assertMessageSize = (message: unknown, { requestBytes, limits: { maxMessageBytes } }: MessageContext): void => {
  // A part is no larger than the whole, and most batches are no larger than a message may be.
  if (requestBytes <= maxMessageBytes) return
  if (Buffer.byteLength(JSON.stringify(message) ?? '') > maxMessageBytes) throw new FusewireError('message_too_large')
}

interface Conditions {
  readonly key?: string | undefined
  readonly ifPosition?: Position | undefined
}

/** What a publish depends on. Its key may come in the body or as a header, not as two different ones. */
export const publishOptions = ({ key: inBody, ifPosition }: Conditions, inHeader?: string): PublishRequest => {
  if (inBody !== undefined && inHeader !== undefined && inBody !== inHeader)
    throw new FusewireError('invalid_field', 'key and the header Idempotency-Key are different')
  const idempotencyKey = inBody ?? inHeader
  return { ...(idempotencyKey !== undefined && { idempotencyKey }), ...(ifPosition && { ifPosition }) }
}
