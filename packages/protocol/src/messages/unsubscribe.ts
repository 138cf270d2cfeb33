import { type Infer, literal, object } from '../schema.ts'
import { channel, id } from './fields.ts'

/** Client: leave a channel. Answered by `unsubscribed`. */
export const unsubscribe = object({ type: literal('unsubscribe'), channel }, { id })

export type Unsubscribe = Infer<typeof unsubscribe>
