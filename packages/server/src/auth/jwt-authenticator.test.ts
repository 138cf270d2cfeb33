import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { Identity } from '@fusewire/engine'
import { LIMITS } from '@fusewire/protocol'
import fc from 'fast-check'
import { exportJWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { JwtAuthenticator, type JwtAuthenticatorOptions } from './jwt-authenticator.ts'
import { KeySet } from './key-set.ts'
import { PublicKeys } from './public-keys.ts'
import { SecretKeys } from './secret-keys.ts'
import type { TokenKeys } from './token-keys.ts'

const SECRET = 'a secret of thirty-two bytes or more'
const NOW = new Date('2026-05-01T12:00:00Z')
const NOW_SECONDS = NOW.getTime() / 1000

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' })
const ed25519 = generateKeyPairSync('ed25519')
const secret = createSecretKey(SECRET, 'utf8')

const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW })
})
afterEach(() => {
  vi.useRealTimers()
})

const sign = (claims: JWTPayload, key: KeyObject = secret, alg = 'HS256', kid?: string): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg, ...(kid !== undefined && { kid }) }).sign(key)

const authenticator = (
  options: Partial<JwtAuthenticatorOptions> = {},
  keys: TokenKeys[] = [new SecretKeys(SECRET)],
): JwtAuthenticator => new JwtAuthenticator({ keys, ...options })

const refused = async (answer: Promise<unknown>, code: string, message = ''): Promise<void> => {
  await expect(answer).rejects.toMatchObject({ name: 'FusewireError', code, message: expect.stringContaining(message) })
}

const ALGORITHMS: readonly [alg: string, privateKey: KeyObject, keys: () => TokenKeys][] = [
  ...['HS256', 'HS384', 'HS512'].map((alg) => [alg, secret, () => new SecretKeys(SECRET)] as const),
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map(
    (alg) => [alg, rsa.privateKey, () => new PublicKeys(pemOf(rsa.publicKey))] as const,
  ),
  ['ES256', p256.privateKey, () => new PublicKeys(pemOf(p256.publicKey))],
  ['ES384', p384.privateKey, () => new PublicKeys(pemOf(p384.publicKey))],
  ['ES512', p521.privateKey, () => new PublicKeys(pemOf(p521.publicKey))],
  ['EdDSA', ed25519.privateKey, () => new PublicKeys(pemOf(ed25519.publicKey))],
  ['Ed25519', ed25519.privateKey, () => new PublicKeys(pemOf(ed25519.publicKey))],
].map(([alg, key, keys]) => [alg, key, keys] as [string, KeyObject, () => TokenKeys])

describe('signatures', () => {
  it.each(ALGORITHMS)('accepts %s from its key', async (alg, key, keys) => {
    const identity = await authenticator({}, [keys()]).authenticate(await sign({ sub: 'alice' }, key, alg))
    expect(identity.user).toBe('alice')
  })

  it.each(ALGORITHMS)('refuses %s when a character of the signed part was changed', async (alg, key, keys) => {
    const [header, , signature] = (await sign({ sub: 'alice' }, key, alg)).split('.')
    const forged = `${header}.${Buffer.from('{"sub":"admin"}').toString('base64url')}.${signature}`
    await refused(authenticator({}, [keys()]).authenticate(forged), 'token_invalid', "The token's signature is wrong.")
  })

  it('refuses a token of another key', async () => {
    const keys = new PublicKeys(pemOf(rsa.publicKey))
    await refused(
      authenticator({}, [keys]).authenticate(await sign({ sub: 'a' }, otherRsa.privateKey, 'RS256')),
      'token_invalid',
      'signature',
    )
  })

  it.each(['none', 'None', 'NONE', '', 'HS1', 'constructor', '__proto__', 'RS256'])(
    'refuses the algorithm %j with a secret',
    async (alg) => {
      const token = `${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.${Buffer.from('{"sub":"admin"}').toString('base64url')}.`
      await refused(authenticator().authenticate(token), 'token_invalid', 'sign it with HS256, HS384, HS512')
    },
  )

  it('refuses an unsecured token', async () => {
    await refused(authenticator().authenticate(new UnsecuredJWT({ sub: 'admin' }).encode()), 'token_invalid', 'algorithm')
  })

  it.each([
    ['PEM', () => createSecretKey(pemOf(rsa.publicKey), 'utf8')],
    ['DER', () => createSecretKey(rsa.publicKey.export({ type: 'spki', format: 'der' }))],
  ])('refuses HMAC made with the %s of the public key (algorithm confusion)', async (_, confused) => {
    const token = await sign({ sub: 'admin' }, confused(), 'HS256')
    await refused(authenticator({}, [new PublicKeys(pemOf(rsa.publicKey))]).authenticate(token), 'token_invalid', 'algorithm')
    // Nor does a secret beside it change anything: the public key is never tried with HMAC.
    const both = authenticator({}, [new SecretKeys(SECRET), new PublicKeys(pemOf(rsa.publicKey))])
    await refused(both.authenticate(token), 'token_invalid', 'signature')
  })

  it('takes each of several kinds of keys for its own algorithms', async () => {
    const both = authenticator({}, [new SecretKeys(SECRET), new PublicKeys(pemOf(p256.publicKey))])
    expect(await both.authenticate(await sign({ sub: 'old' }))).toMatchObject({ user: 'old' })
    expect(await both.authenticate(await sign({ sub: 'new' }, p256.privateKey, 'ES256'))).toMatchObject({ user: 'new' })
  })

  it('accepts only the algorithms that are asked for', async () => {
    const strict = authenticator({ algorithms: ['HS512'] })
    await refused(strict.authenticate(await sign({ sub: 'a' })), 'token_invalid', 'sign it with HS512')
    expect(await strict.authenticate(await sign({ sub: 'a' }, secret, 'HS512'))).toMatchObject({ user: 'a' })
  })

  it('refuses algorithms in the configuration that do not fit the keys', () => {
    expect(() => authenticator({ algorithms: ['RS256'] })).toThrow('jwtAlgorithms: RS256 does not fit the configured keys')
    expect(() => authenticator({ algorithms: ['none'] })).toThrow('jwtAlgorithms: none does not fit')
    expect(() => authenticator({ algorithms: [] })).toThrow('jwtAlgorithms')
  })

  it('refuses critical extensions that it does not know', async () => {
    const token = await new SignJWT({ sub: 'a' }).setProtectedHeader({ alg: 'HS256', crit: ['b64'], b64: true }).sign(secret)
    const [, payload, signature] = token.split('.')
    const header = Buffer.from(JSON.stringify({ alg: 'HS256', crit: ['exp2'], exp2: 1 })).toString('base64url')
    await refused(authenticator().authenticate(`${header}.${payload}.${signature}`), 'token_invalid')
  })

  it('finds the key of a token without kid among several of a set', async () => {
    const keys = await Promise.all([otherRsa, rsa].map(async ({ publicKey }) => exportJWK(publicKey)))
    const set = authenticator({}, [new KeySet({ keys })])
    expect(await set.authenticate(await sign({ sub: 'a' }, rsa.privateKey, 'RS256'))).toMatchObject({ user: 'a' })
    await refused(
      set.authenticate(await sign({ sub: 'a' }, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'RS256')),
      'token_invalid',
    )
  })

  it('finds the key of a set by kid, and says when there is none', async () => {
    const keys = [
      { ...(await exportJWK(rsa.publicKey)), kid: 'rsa' },
      { ...(await exportJWK(p256.publicKey)), kid: 'ec' },
    ]
    const set = authenticator({}, [new KeySet({ keys })])
    expect(await set.authenticate(await sign({ sub: 'a' }, p256.privateKey, 'ES256', 'ec'))).toMatchObject({ user: 'a' })
    await refused(
      set.authenticate(await sign({ sub: 'a' }, p256.privateKey, 'ES256', 'rsa')),
      'token_invalid',
      'no key with the "kid"',
    )
    await refused(
      set.authenticate(await sign({ sub: 'a' }, p256.privateKey, 'ES256', 'gone')),
      'token_invalid',
      'no key with the "kid"',
    )
  })
})

describe('anything that is no token', () => {
  it('is refused as token_invalid, whatever it is', async () => {
    const checked = authenticator()
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.string({ unit: 'binary' }),
          fc.array(fc.base64String(), { minLength: 1, maxLength: 6 }).map((parts) => parts.join('.')),
          fc
            .tuple(fc.json(), fc.json(), fc.string())
            .map((parts) => parts.map((part) => Buffer.from(part).toString('base64url')).join('.')),
        ),
        (token) => refused(checked.authenticate(token), 'token_invalid'),
      ),
      { numRuns: 300 },
    )
  })

  it('is refused when it is a good token with one character more, less or another', async () => {
    const token = await sign({ sub: 'alice', info: { name: 'Alice' } })
    const checked = authenticator()
    await fc.assert(
      fc.asyncProperty(
        fc.nat(token.length - 1),
        fc.constantFrom('', '.', 'A', '=', ' ', '\u0000', 'é'),
        async (at, character) => {
          const changed = token.slice(0, at) + character + token.slice(at + 1)
          fc.pre(changed !== token)
          // The last character of Base64url holds bits that mean nothing: such a token is the same token.
          const same = Buffer.from(changed.split('.')[2] ?? '', 'base64url').equals(
            Buffer.from(token.split('.')[2] ?? '', 'base64url'),
          )
          fc.pre(!same || !changed.startsWith(token.slice(0, token.lastIndexOf('.') + 1)))
          await refused(checked.authenticate(changed), 'token_invalid')
        },
      ),
      { numRuns: 300 },
    )
  })

  it('is refused before it is parsed when it is too long', async () => {
    await refused(
      authenticator().authenticate('x'.repeat(LIMITS.tokenLength + 1)),
      'token_invalid',
      `more than ${LIMITS.tokenLength} characters`,
    )
  })
})

describe('claims of a connect token', () => {
  it('make the identity', async () => {
    const token = await sign({
      sub: 'alice',
      exp: NOW_SECONDS + 60,
      info: { name: 'Alice' },
      caps: [{ channels: ['chat:*', 'news'], allow: ['subscribe', 'publish'] }],
      channels: ['news'],
    })
    expect(await authenticator().authenticate(token)).toEqual({
      user: 'alice',
      expiresAt: NOW.getTime() + 60_000,
      info: { name: 'Alice' },
      capabilities: [{ channels: ['chat:*', 'news'], allow: ['subscribe', 'publish'] }],
      channels: ['news'],
    } satisfies Identity)
  })

  it('say by what the token can be revoked', async () => {
    const token = await sign({ sub: 'alice', jti: 't1', iat: NOW_SECONDS + 0.25 })
    const identity = await authenticator().authenticate(token)
    expect(identity).toMatchObject({ user: 'alice', tokenId: 't1', issuedAt: NOW.getTime() + 250 })
  })

  it('may all be left out but sub', async () => {
    expect(await authenticator().authenticate(await sign({ sub: 'alice' }))).toEqual({
      user: 'alice',
      capabilities: [],
      channels: [],
    })
  })

  it.each([
    ['sub', {}, 'is missing'],
    ['sub', { sub: 7 as unknown as string }, 'must be a string'],
    ['sub', { sub: '' }, 'must not be empty'],
    ['sub', { sub: 'x'.repeat(256) }, 'at most 255'],
    ['exp', { sub: 'a', exp: 'soon' as unknown as number }, 'must be a number of seconds'],
    ['jti', { sub: 'a', jti: 7 as unknown as string }, 'must be a string'],
    ['jti', { sub: 'a', jti: '' }, 'must not be empty'],
    ['jti', { sub: 'a', jti: 'x'.repeat(256) }, 'at most 255'],
    ['iat', { sub: 'a', iat: NOW.getTime() }, 'in seconds since 1970, not milliseconds'],
    ['exp', { sub: 'a', exp: NOW.getTime() }, 'in seconds since 1970, not milliseconds'],
    ['nbf', { sub: 'a', nbf: NOW_SECONDS + 60 }, 'not valid yet'],
    ['nbf', { sub: 'a', nbf: 'soon' as unknown as number }, 'must be a number of seconds'],
    ['caps', { sub: 'a', caps: 'publish' }, 'must be an array'],
    ['caps', { sub: 'a', caps: null }, 'must be an array'],
    ['caps[0]', { sub: 'a', caps: ['publish'] }, 'must be an object'],
    ['caps[0].channels', { sub: 'a', caps: [{ allow: ['publish'] }] }, 'must be an array of channel patterns'],
    ['caps[0].channels[0]', { sub: 'a', caps: [{ channels: [1], allow: ['publish'] }] }, 'must be a string'],
    ['caps[0].channels[0]', { sub: 'a', caps: [{ channels: ['a b'], allow: ['publish'] }] }, 'must be a channel name'],
    [
      'caps[1].allow',
      {
        sub: 'a',
        caps: [
          { channels: [], allow: [] },
          { channels: ['a'], allow: 'publish' },
        ],
      },
      'must be an array',
    ],
    [
      'caps[0].allow[1]',
      { sub: 'a', caps: [{ channels: ['a'], allow: ['publish', 'write'] }] },
      'must be one of subscribe, publish',
    ],
    ['channels', { sub: 'a', channels: 'news' }, 'must be an array of channel names'],
    ['channels[1]', { sub: 'a', channels: ['news', ''] }, 'must not be empty'],
    ['channels[0]', { sub: 'a', channels: ['x'.repeat(LIMITS.channelLength + 1)] }, `at most ${LIMITS.channelLength}`],
    ['channel', { sub: 'a', channel: 'news' }, 'channel token'],
  ])('of the wrong shape are refused by name: %s in %j', async (claim, claims, message) => {
    const answer = authenticator().authenticate(await sign(claims as JWTPayload))
    await refused(answer, 'token_invalid', `claim "${claim}"`)
    await refused(authenticator().authenticate(await sign(claims as JWTPayload)), 'token_invalid', message)
  })

  it('that are no object are refused', async () => {
    const sections = ['{"alg":"HS256"}', '["sub"]'].map((text) => Buffer.from(text).toString('base64url')).join('.')
    const { createHmac } = await import('node:crypto')
    const token = `${sections}.${createHmac('sha256', SECRET).update(sections).digest('base64url')}`
    await refused(authenticator().authenticate(token), 'token_invalid')
  })

  it('of any good shape come out as they went in', async () => {
    const checked = authenticator()
    const channel = fc.stringMatching(/^[a-z0-9:*]{1,40}$/)
    const capability = fc.record({
      channels: fc.array(channel, { maxLength: 4 }),
      allow: fc.uniqueArray(fc.constantFrom('subscribe', 'publish', 'history', 'presence')),
    })
    const claims = fc.record(
      {
        sub: fc.string({ minLength: 1, maxLength: 100, unit: 'grapheme' }).filter((user) => user.length <= 255),
        info: fc.jsonValue({ maxDepth: 2, depthSize: 'small' }),
        caps: fc.array(capability, { maxLength: 3 }),
        channels: fc.array(channel, { maxLength: 3 }),
        exp: fc.integer({ min: NOW_SECONDS + 1, max: NOW_SECONDS + 1e9 }),
      },
      { requiredKeys: ['sub'] },
    )
    await fc.assert(
      fc.asyncProperty(claims, async (given) => {
        const identity = await checked.authenticate(await sign(given as JWTPayload))
        expect(identity).toEqual(
          JSON.parse(
            JSON.stringify({
              user: given.sub,
              info: given.info,
              capabilities: given.caps ?? [],
              channels: given.channels ?? [],
              expiresAt: given.exp && given.exp * 1000,
            }),
          ),
        )
      }),
      { numRuns: 100 },
    )
  })
})

describe('claims of any form at all', () => {
  it('make an identity of the right form or are refused, and nothing else happens', async () => {
    const checked = authenticator()
    const value = fc.jsonValue({ maxDepth: 3, depthSize: 'small' })
    const near = fc.array(
      fc.record({
        channels: fc.oneof(fc.array(fc.oneof(fc.constant('a:*'), value)), value),
        allow: fc.array(fc.oneof(fc.constant('publish'), value)),
      }),
    )
    const claims = fc.record(
      {
        sub: fc.oneof(fc.constant('alice'), value),
        exp: value,
        info: value,
        caps: fc.oneof(near, value),
        channels: value,
        channel: fc.constantFrom('c', null, 1),
      },
      { requiredKeys: ['sub'] },
    )
    await fc.assert(
      fc.asyncProperty(claims, async (given) => {
        const token = await sign(given as JWTPayload)
        const answers = [checked.authenticate(token), checked.authorizeChannel(token, 'c', 'alice')]
        for (const result of await Promise.all(answers.map((answer) => answer.catch((error: { code: string }) => error.code)))) {
          if (typeof result === 'string') {
            expect(['token_invalid', 'token_expired']).toContain(result)
          } else if ('channel' in result) {
            expect([result.channel, given.channel]).toEqual(['c', 'c'])
          } else {
            expect(result.user).toBe(given.sub)
            expect('channel' in given).toBe(false)
            for (const { channels, allow } of result.capabilities) {
              expect(channels.every((name) => typeof name === 'string' && name !== '')).toBe(true)
              expect(allow.every((action) => action === 'publish')).toBe(true)
            }
          }
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('time', () => {
  const at = (exp: number) => sign({ sub: 'alice', exp })

  it('ends a token: token_expired', async () => {
    await refused(authenticator().authenticate(await at(NOW_SECONDS - 60)), 'token_expired')
  })

  it('is taken with a tolerance of 5 s, which ends with the tolerance', async () => {
    const late = await authenticator().authenticate(await at(NOW_SECONDS - 4))
    expect(late.expiresAt).toBe(NOW.getTime() + 1000)
    await refused(authenticator().authenticate(await at(NOW_SECONDS - 5)), 'token_expired')
  })

  it('is taken with the tolerance that is asked for', async () => {
    const strict = authenticator({ clockToleranceMs: 0 })
    await refused(strict.authenticate(await at(NOW_SECONDS)), 'token_expired')
    expect((await strict.authenticate(await at(NOW_SECONDS + 1))).expiresAt).toBe(NOW.getTime() + 1000)
    expect((await authenticator({ clockToleranceMs: 60_000 }).authenticate(await at(NOW_SECONDS - 59))).user).toBe('alice')
  })

  it('before nbf is refused, but for the tolerance', async () => {
    const early = await sign({ sub: 'alice', nbf: NOW_SECONDS + 5 })
    expect((await authenticator().authenticate(early)).user).toBe('alice')
    await refused(authenticator({ clockToleranceMs: 4_000 }).authenticate(early), 'token_invalid', 'claim "nbf"')
  })
})

describe('issuer and audience', () => {
  const strict = () => authenticator({ issuer: 'https://id.example.com', audience: ['fusewire', 'chat'] })
  const good = { sub: 'alice', iss: 'https://id.example.com', aud: 'fusewire' }

  it('must be the configured ones', async () => {
    expect(await strict().authenticate(await sign(good))).toMatchObject({ user: 'alice' })
    expect(await strict().authenticate(await sign({ ...good, aud: ['other', 'chat'] }))).toMatchObject({ user: 'alice' })
  })

  it.each([
    ['iss', { iss: 'https://id.example.com/' }],
    ['iss', { iss: undefined }],
    ['aud', { aud: 'other' }],
    ['aud', { aud: [] }],
    ['aud', { aud: undefined }],
  ])('name the claim that is not: %s in %j', async (claim, change) => {
    const token = await sign({ ...good, ...change } as JWTPayload)
    await refused(strict().authenticate(token), 'token_invalid', `claim "${claim}"`)
    await refused(
      strict().authorizeChannel(await sign({ ...good, ...change, channel: 'c' } as JWTPayload), 'c', 'alice'),
      'token_invalid',
      claim,
    )
  })

  it('are not looked at when not configured', async () => {
    expect(await authenticator().authenticate(await sign({ ...good, iss: 'anyone', aud: 'anything' }))).toMatchObject({
      user: 'alice',
    })
  })
})

describe('channel tokens', () => {
  it('open their channel to their user', async () => {
    const token = await sign({ sub: 'alice', channel: 'room:1', exp: NOW_SECONDS + 60, info: { seat: 4 } })
    expect(await authenticator().authorizeChannel(token, 'room:1', 'alice')).toEqual({
      channel: 'room:1',
      user: 'alice',
      expiresAt: NOW.getTime() + 60_000,
      info: { seat: 4 },
    })
  })

  it('say by what they can be revoked', async () => {
    const token = await sign({ channel: 'room:1', jti: 'c1', iat: NOW_SECONDS })
    expect(await authenticator().authorizeChannel(token, 'room:1', 'bob')).toEqual({
      channel: 'room:1',
      tokenId: 'c1',
      issuedAt: NOW.getTime(),
    })
  })

  it('without sub are for whoever has them', async () => {
    const token = await sign({ channel: 'room:1' })
    expect(await authenticator().authorizeChannel(token, 'room:1', 'bob')).toEqual({ channel: 'room:1' })
    expect(await authenticator().authorizeChannel(token, 'room:1', undefined)).toEqual({ channel: 'room:1' })
  })

  it.each([
    ['another channel', 'room:2', 'alice', 'claim "channel"'],
    ['another user', 'room:1', 'bob', 'claim "sub"'],
    ['an anonymous client', 'room:1', undefined, 'claim "sub"'],
  ])('are refused for %s', async (_, channel, user, message) => {
    const token = await sign({ sub: 'alice', channel: 'room:1' })
    await refused(authenticator().authorizeChannel(token, channel, user), 'token_invalid', message)
  })

  it.each([
    ['channel', { channel: 5 }, 'must be a string'],
    ['channel', { channel: '' }, 'must not be empty'],
    ['sub', { channel: 'room:1', sub: 5 as unknown as string }, 'must be a string'],
  ])('of the wrong shape are refused by name: %s in %j', async (claim, claims, message) => {
    await refused(
      authenticator().authorizeChannel(await sign(claims), 'room:1', 'alice'),
      'token_invalid',
      `claim "${claim}" ${message}`,
    )
  })

  it('expire', async () => {
    const token = await sign({ channel: 'room:1', exp: NOW_SECONDS - 60 })
    await refused(authenticator().authorizeChannel(token, 'room:1', undefined), 'token_expired')
  })

  it('are not connect tokens, and connect tokens are not channel tokens', async () => {
    const channelToken = await sign({ sub: 'alice', channel: 'room:1' })
    await refused(authenticator().authenticate(channelToken), 'token_invalid', 'claim "channel" makes it a channel token')
    const connectToken = await sign({ sub: 'alice', channels: ['room:1'], caps: [{ channels: ['**'], allow: ['subscribe'] }] })
    await refused(
      authenticator().authorizeChannel(connectToken, 'room:1', 'alice'),
      'token_invalid',
      'claim "channel" is missing',
    )
  })

  it('need a good signature like any other', async () => {
    const forged = await sign({ channel: 'room:1' }, createSecretKey('x'.repeat(32), 'utf8'))
    await refused(authenticator().authorizeChannel(forged, 'room:1', undefined), 'token_invalid', 'signature')
  })
})

describe('clients without a token', () => {
  it('are refused: token_required', async () => {
    await refused(authenticator().authenticate(undefined), 'token_required')
  })

  it('are anonymous where that is allowed', async () => {
    expect(await authenticator({ allowAnonymous: true }).authenticate(undefined)).toEqual({ capabilities: [], channels: [] })
  })

  it('are not those with an empty or wrong one, even where that is allowed', async () => {
    await refused(authenticator({ allowAnonymous: true }).authenticate(''), 'token_invalid')
    await refused(authenticator({ allowAnonymous: true }).authenticate('guest'), 'token_invalid')
  })
})

describe("a fault that is not the token's", () => {
  it('is internal_error, with the cause for the log and not for the client', async () => {
    const broken: TokenKeys = { algorithms: ['HS256'], find: () => Promise.reject(new TypeError('the detail')) }
    const answer = authenticator({}, [broken]).authenticate(await sign({ sub: 'a' }))
    await expect(answer).rejects.toMatchObject({ code: 'internal_error', cause: { message: 'the detail' } })
    await expect(answer).rejects.toThrow(/^(?!.*the detail)/)
  })
})
