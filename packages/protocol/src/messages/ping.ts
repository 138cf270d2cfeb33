import { type Infer, literal, object } from '../schema.ts'
import { id } from './fields.ts'

/** Client: heartbeat. Answered by `pong`. Allowed before `connect`. */
export const ping = object({ type: literal('ping') }, { id })

export type Ping = Infer<typeof ping>
