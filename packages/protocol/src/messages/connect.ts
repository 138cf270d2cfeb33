import { LIMITS } from '../limits.ts'
import { array, type Infer, literal, object, string } from '../schema.ts'
import { id, token } from './fields.ts'
import { subscription } from './subscribe.ts'

/** Client: the first message. `resume` is the secret of an earlier `connected`; `subscriptions` are made at once. */
export const connect = object(
  { type: literal('connect') },
  {
    id,
    token,
    resume: token,
    name: string(64),
    version: string(64),
    subscriptions: array(subscription, LIMITS.subscriptionsPerConnect),
  },
)

export type Connect = Infer<typeof connect>
