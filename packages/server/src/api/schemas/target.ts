import type { Target } from '@fusewire/engine'
import { z } from 'zod'
import { documented } from './documented.ts'
import { channel, session, user } from './fields.ts'

interface TargetFields {
  readonly user?: string
  readonly session?: string
}

const targetFields = { user: user.exactOptional(), session: session.exactOptional() }
const hasOneTarget = (body: TargetFields): boolean => (body.user === undefined) !== (body.session === undefined)
const error = 'must have either user or session'
const oneOf = [{ required: ['user'] }, { required: ['session'] }]

/** Sessions that a command is about. */
export const target = z.strictObject(targetFields).refine(hasOneTarget, { error }).register(documented, { id: 'Target', oneOf })

/** Sessions that a command is about, and the channel. */
export const membership = z
  .strictObject({ ...targetFields, channel })
  .refine(hasOneTarget, { error })
  .register(documented, { id: 'Membership', oneOf })

const ONE_YEAR_MS = 31_536_000_000

/** Sessions that a command is about, and when their identity is to end. */
export const renewal = z
  .strictObject({
    ...targetFields,
    expiresInMs: z.int().min(0).max(ONE_YEAR_MS).nullable().register(documented, {
      description: 'From now, in milliseconds; 0: it has ended. `null`: it does not end by itself.',
    }),
  })
  .refine(hasOneTarget, { error })
  .register(documented, { id: 'Renewal', oneOf })

/** What is to leave: a node, or clients. This node when nothing is said. */
export const leaving = z
  .strictObject({
    ...targetFields,
    node: z.string().min(1).max(64).exactOptional().register(documented, { description: 'This node, or another one.' }),
  })
  .refine(({ node, user, session }) => [node, user, session].filter((name) => name !== undefined).length <= 1, {
    error: 'must have no more than one of node, user and session',
  })
  .register(documented, { id: 'Leaving', maxProperties: 1 })

export const targetOf = ({ user, session }: TargetFields): Target => (user === undefined ? { session: session ?? '' } : { user })
