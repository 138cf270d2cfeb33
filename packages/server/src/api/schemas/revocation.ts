import type { RevocationTarget } from '@fusewire/engine'
import { z } from 'zod'
import { MAX_TOKEN_ID_LENGTH } from '../../auth/token-claims.ts'
import { documented } from './documented.ts'
import { user } from './fields.ts'

/** The year 10000: later times are nanoseconds, or a mistake. */
const MAX_TIME_MS = 253_402_300_800_000

const ONE_YEAR_MS = 31_536_000_000

const fields = {
  token: z
    .string()
    .min(1)
    .max(MAX_TOKEN_ID_LENGTH)
    .exactOptional()
    .register(documented, { description: 'The one token with this `jti`.' }),
  user: user
    .exactOptional()
    .register(documented, { description: 'All tokens of this user that were issued until `issuedBefore`.' }),
  issuedBefore: z
    .int()
    .min(0)
    .max(MAX_TIME_MS)
    .exactOptional()
    .register(documented, { description: 'With `user`: milliseconds since the epoch. Now when left out.' }),
  expiresInMs: z.int().min(1).max(ONE_YEAR_MS).exactOptional().register(documented, {
    description:
      'How long the revocation is kept: at least as long as the tokens would have lived. `revocationTtlMs` when left out.',
  }),
}

/** Which tokens to revoke, and for how long. */
export const revocation = z
  .strictObject(fields)
  .refine(({ token, user }) => (token === undefined) !== (user === undefined), { error: 'must have either token or user' })
  .refine(({ user, issuedBefore }) => issuedBefore === undefined || user !== undefined, {
    error: 'has issuedBefore, which belongs to user',
  })
  .register(documented, { id: 'Revocation', oneOf: [{ required: ['token'] }, { required: ['user'] }] })

export const revocationTargetOf = ({ token, user, issuedBefore }: z.output<typeof revocation>): RevocationTarget =>
  user === undefined ? { token: token ?? '' } : { user, ...(issuedBefore !== undefined && { issuedBefore }) }
