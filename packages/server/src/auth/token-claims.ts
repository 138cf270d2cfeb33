import type { Action, Capability } from '@fusewire/engine'
import { LIMITS } from '@fusewire/protocol'
import { z } from 'zod'

const ACTIONS = ['subscribe', 'publish', 'history', 'presence'] as const satisfies readonly Action[]

/** UTF-16 code units of a user's id. */
const MAX_USER_LENGTH = 255

/** UTF-16 code units of a token's id. */
export const MAX_TOKEN_ID_LENGTH = 255

/** The last second of the year 9999. Milliseconds given for seconds lie beyond it, and would make a token that never ends. */
const MAX_DATE_SECONDS = 253_402_300_799

const required = (wrong: string) => ({
  error: ({ input }: { readonly input?: unknown }) => (input === undefined ? 'is missing' : wrong),
})

export const channelName = z
  .string(required('must be a string'))
  .min(1, 'must not be empty')
  .max(LIMITS.channelLength, `must have at most ${LIMITS.channelLength} characters`)
  .regex(/^[^\s\p{Cc}\p{Cs}]*$/u, 'must be a channel name, without white space or control characters')

export const user = z
  .string(required('must be a string: the id of the user'))
  .min(1, 'must not be empty: it is the id of the user')
  .max(MAX_USER_LENGTH, `must have at most ${MAX_USER_LENGTH} characters`)

const date = z
  .number('must be a number of seconds')
  .min(0, 'must be a number of seconds since 1970')
  .max(MAX_DATE_SECONDS, 'must be in seconds since 1970, not milliseconds')

export const capability: z.ZodType<Capability> = z.object(
  {
    channels: z.array(channelName, 'must be an array of channel patterns'),
    allow: z.array(z.enum(ACTIONS, `must be one of ${ACTIONS.join(', ')}`), `must be an array of ${ACTIONS.join(', ')}`),
  },
  'must be an object { "channels": […], "allow": […] }',
)

/** `jti`: by it, one token can be revoked. */
const tokenId = z
  .string('must be a string')
  .min(1, 'must not be empty')
  .max(MAX_TOKEN_ID_LENGTH, `must have at most ${MAX_TOKEN_ID_LENGTH} characters`)

/** The claims of a token that a client connects with. */
export const connectClaims = z.object({
  sub: user,
  exp: date.optional(),
  iat: date.optional(),
  jti: tokenId.optional(),
  info: z.unknown().optional(),
  caps: z.array(capability, 'must be an array of { "channels": […], "allow": […] }').default([]),
  channels: z.array(channelName, 'must be an array of channel names').default([]),
  channel: z.undefined('makes it a channel token, which is not for connect: send it with subscribe').optional(),
})

/** The claims of a token that opens one channel. */
export const channelClaims = z.object({
  sub: user.optional(),
  exp: date.optional(),
  iat: date.optional(),
  jti: tokenId.optional(),
  info: z.unknown().optional(),
  channel: channelName,
})

/** Says which claim is wrong and how: `caps[0].allow must be an array of …`. */
export const explainClaims = (error: z.ZodError): string => {
  const [issue] = error.issues
  const path = issue?.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('') ?? ''
  return `claim "${path.slice(1)}" ${issue?.message}`
}
