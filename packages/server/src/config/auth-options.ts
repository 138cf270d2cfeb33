import { z } from 'zod'
import { count, flag, milliseconds, OPTION_NOTES, text } from './option-notes.ts'

export const JWT_ALGORITHMS = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const

/** Bytes of a shared secret at least: the output of the weakest hash that is used with it (RFC 7518 section 3.2). */
export const MIN_SECRET_BYTES = 32

/** Characters of an API key at least. */
export const MIN_API_KEY_LENGTH = 16

/** Who may connect and who may call the HTTP API. */
export const authOptions = {
  development: flag(
    'Development mode: everyone may do everything, on this machine only. Refused when NODE_ENV is production.',
    false,
  ),
  developmentOnAllInterfaces: flag(
    'Allow development mode on a host that other machines can reach. Everyone in that network may then do everything.',
    false,
  ),
  allowAnonymous: flag("Let clients connect without a token. The channels' rules decide what they may do.", false),
  apiKeys: z
    .array(
      z
        .string()
        .min(
          MIN_API_KEY_LENGTH,
          `is too short: use at least ${MIN_API_KEY_LENGTH} characters, for example the output of "openssl rand -hex 16"`,
        )
        // What cannot stand in an Authorization header can never be sent.
        .regex(/^[\x21-\x7e]*$/u, 'consists of printable ASCII characters, without spaces'),
    )
    .default([])
    .describe('Keys of the HTTP API. Without one the API is off.')
    .register(OPTION_NOTES, { secret: true, example: ['change-me-change-me-change-me'] }),
  jwtSecret: z
    .string()
    .refine((secret) => new TextEncoder().encode(secret).length >= MIN_SECRET_BYTES, {
      message: `is too short: use at least ${MIN_SECRET_BYTES} bytes, for example the output of "openssl rand -base64 32"`,
    })
    .exactOptional()
    .describe(`Secret of tokens signed with HS256, HS384 or HS512: at least ${MIN_SECRET_BYTES} bytes.`)
    .register(OPTION_NOTES, { secret: true, example: 'change-me-to-32-or-more-random-bytes' }),
  jwtPublicKeyFile: text('Public key of tokens signed with RS, PS, ES or EdDSA, PEM.', {
    path: true,
    example: '/etc/fusewire/jwt.pub',
  }),
  jwksUrl: text('Address of a JSON Web Key Set with the public keys; fetched again when a token names a new key.', {
    example: 'https://id.example.com/.well-known/jwks.json',
  }),
  jwtAlgorithms: z
    .array(z.enum(JWT_ALGORITHMS))
    .min(1)
    .exactOptional()
    .describe('Signature algorithms that are accepted.')
    .register(OPTION_NOTES, { defaultText: 'those that fit the configured keys', example: ['ES256'] }),
  jwtIssuer: text('Required `iss` of a token.', { example: 'https://id.example.com' }),
  jwtAudience: text('Required `aud` of a token.', { example: 'fusewire' }),
  jwtClockToleranceMs: milliseconds('How far the clock of the one who signs tokens may be off.', {
    default: 5000,
    min: 0,
    max: 300_000,
  }),
  revocationTtlMs: milliseconds(
    'How long a revocation of tokens is kept, unless it says otherwise: no shorter than tokens live.',
    {
      default: 86_400_000,
      min: 1000,
      max: 31_536_000_000,
    },
  ),
  maxRevocations: count('Revocations of tokens that may be kept at a time; one more is refused.', {
    default: 100_000,
    min: 1,
    max: 100_000_000,
  }),
}
