import { anything, boolean, type Infer, integer, literal, object, string } from '../schema.ts'
import { channel, id } from './fields.ts'
import { position } from './position.ts'

/**
 * Server: a request failed. `code` is one of the error table; an unknown code is treated by `retryable`. With `conflict` come the
 * channel's newest position, and in a state channel the document there.
 */
export const error = object(
  { type: literal('error'), code: string(64, 1), message: string(4096), retryable: boolean },
  { id, channel, retryAfterMs: integer(), position, document: anything },
)

export type ErrorMessage = Infer<typeof error>
