import { boolean, type Infer, literal, object } from '../schema.ts'
import { channel, id, tags, token } from './fields.ts'
import { position } from './position.ts'

const options = {
  id,
  /** Deliver everything after this position before anything newer. */
  since: position,
  /** A channel token, for channels whose rule asks for one. */
  token,
  /** Deliver `join` and `leave` of the channel. */
  presence: boolean,
  tags,
}

/** What a subscription asks for; `connect` carries these without a `type`. */
export const subscription = object({ channel }, options)

/** Client: join a channel. Answered by `subscribed`. */
export const subscribe = object({ type: literal('subscribe'), channel }, options)

export type SubscriptionRequest = Infer<typeof subscription>
export type Subscribe = Infer<typeof subscribe>
