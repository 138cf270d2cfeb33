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

export const targetOf = ({ user, session }: TargetFields): Target => (user === undefined ? { session: session ?? '' } : { user })
