import { type Infer, literal, object } from '../schema.ts'
import { channel, id } from './fields.ts'

/** Client: who is subscribed. Answered by `result` with a {@link PresenceResult}. */
export const presence = object({ type: literal('presence'), channel }, { id })

export type Presence = Infer<typeof presence>
