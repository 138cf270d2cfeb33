import { boolean, type Infer, integer, literal, object, string } from '../schema.ts'
import { channel, id } from './fields.ts'

/** Server: a request failed. `code` is one of the error table; an unknown code is treated by `retryable`. */
export const error = object(
  { type: literal('error'), code: string(64, 1), message: string(4096), retryable: boolean },
  { id, channel, retryAfterMs: integer() },
)

export type ErrorMessage = Infer<typeof error>
