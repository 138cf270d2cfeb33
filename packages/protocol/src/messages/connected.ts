import { LIMITS } from '../limits.ts'
import { boolean, type Infer, integer, literal, object, string } from '../schema.ts'
import { id } from './fields.ts'

/**
 * Server: the answer to `connect`. `session` is public; `resume` is secret and valid until the session's TTL ends after a break.
 * `expiresAt` is the token's end in milliseconds since the epoch. `development` is true when the server runs unprotected.
 */
export const connected = object(
  {
    type: literal('connected'),
    session: string(64, 1),
    resume: string(LIMITS.tokenLength, 1),
    resumed: boolean,
    node: string(64),
    version: string(64),
    pingIntervalMs: integer(1),
    pongTimeoutMs: integer(1),
    sessionTtlMs: integer(),
  },
  { id, user: string(255), expiresAt: integer(), development: boolean },
)

export type Connected = Infer<typeof connected>
