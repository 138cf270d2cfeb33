import { boolean, type Infer, integer, literal, object, string } from '../schema.ts'

/** Server: the last message of a connection. `closeCode` follows the ranges of the error table; `retryAfterMs`: to come back no sooner. */
export const disconnect = object(
  { type: literal('disconnect'), code: string(64, 1), closeCode: integer(), reason: string(1024), reconnect: boolean },
  { retryAfterMs: integer() },
)

export type Disconnect = Infer<typeof disconnect>
