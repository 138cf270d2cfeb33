import { type Infer, literal, object } from '../schema.ts'
import { channel } from './fields.ts'
import { member } from './member.ts'

/** Server: a session has left the channel. */
export const leave = object({ type: literal('leave'), channel, member })

export type Leave = Infer<typeof leave>
