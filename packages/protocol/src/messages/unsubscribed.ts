import { type Infer, literal, object, string } from '../schema.ts'
import { channel, id } from './fields.ts'

/** Server: the subscription has ended. Without an `id` it is the server's decision, and `code` says why. */
export const unsubscribed = object({ type: literal('unsubscribed'), channel }, { id, code: string(64), reason: string(1024) })

export type Unsubscribed = Infer<typeof unsubscribed>
