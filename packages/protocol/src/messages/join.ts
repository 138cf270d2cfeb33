import { type Infer, literal, object } from '../schema.ts'
import { channel } from './fields.ts'
import { member } from './member.ts'

/** Server: a session has joined the channel. */
export const join = object({ type: literal('join'), channel, member })

export type Join = Infer<typeof join>
