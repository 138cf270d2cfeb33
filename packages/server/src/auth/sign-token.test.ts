import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { JwtAuthenticator } from './jwt-authenticator.ts'
import { PublicKeys } from './public-keys.ts'
import { SecretKeys } from './secret-keys.ts'
import { type ConnectToken, signToken } from './sign-token.ts'

const SECRET = 'a secret of thirty-two bytes or more'
const authenticator = new JwtAuthenticator({ keys: [new SecretKeys(SECRET)] })

const pemPair = ({ publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject }) => ({
  publicKey: String(publicKey.export({ type: 'spki', format: 'pem' })),
  privateKey: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
})

describe('signToken', () => {
  it('makes connect tokens that the server takes', async () => {
    const token = await signToken(
      {
        user: 'alice',
        info: { name: 'Alice' },
        capabilities: [{ channels: ['chat:*'], allow: ['publish'] }],
        channels: ['news'],
      },
      { secret: SECRET },
      { expiresInMs: 60_000, tokenId: 't1' },
    )
    const { expiresAt, issuedAt, ...identity } = await authenticator.authenticate(token)
    expect(identity).toEqual({
      user: 'alice',
      tokenId: 't1',
      info: { name: 'Alice' },
      capabilities: [{ channels: ['chat:*'], allow: ['publish'] }],
      channels: ['news'],
    })
    expect(issuedAt).toBeGreaterThan(Date.now() - 2000)
    expect(expiresAt).toBeGreaterThanOrEqual(Date.now() + 59_000)
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 61_000)
  })

  it('makes channel tokens that the server takes', async () => {
    const token = await signToken({ channel: 'room:1', user: 'alice', info: 1 }, { secret: SECRET })
    expect(await authenticator.authorizeChannel(token, 'room:1', 'alice')).toEqual({
      channel: 'room:1',
      user: 'alice',
      issuedAt: expect.any(Number),
      info: 1,
    })
    const open = await signToken({ channel: 'room:1' }, { secret: SECRET })
    expect(decodeJwt(open)).toEqual({ channel: 'room:1', iat: expect.any(Number) })
  })

  it.each([
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['ES384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['ES512', generateKeyPairSync('ec', { namedCurve: 'P-521' })],
    ['EdDSA', generateKeyPairSync('ed25519')],
  ])('chooses %s by the private key', async (alg, pair) => {
    const { publicKey, privateKey } = pemPair(pair)
    const token = await signToken({ user: 'alice' }, { privateKey }, { keyId: 'k1' })
    expect(decodeProtectedHeader(token)).toEqual({ alg, typ: 'JWT', kid: 'k1' })
    const checked = new JwtAuthenticator({ keys: [new PublicKeys(publicKey)] })
    expect(await checked.authenticate(token)).toMatchObject({ user: 'alice' })
  })

  it('sets the algorithm, issuer and audience that are asked for', async () => {
    const token = await signToken({ user: 'a' }, { secret: SECRET }, { algorithm: 'HS384', issuer: 'me', audience: 'you' })
    expect(decodeProtectedHeader(token).alg).toBe('HS384')
    expect(decodeJwt(token)).toMatchObject({ iss: 'me', aud: 'you' })
  })

  it('refuses keys and algorithms that the server would refuse', async () => {
    const sign = (key: Parameters<typeof signToken>[1], algorithm?: string) =>
      signToken({ user: 'a' }, key, algorithm === undefined ? {} : { algorithm })
    await expect(sign({ secret: 'short' })).rejects.toThrow('jwtSecret: the secret has 5 bytes')
    await expect(sign({ secret: SECRET }, 'RS256')).rejects.toThrow('algorithm: RS256 does not fit the key')
    await expect(sign({ secret: SECRET }, 'none')).rejects.toThrow('algorithm: none does not fit the key')
    await expect(sign({ privateKey: 'x' })).rejects.toThrow('privateKey: a private key begins with')
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    await expect(sign({ privateKey: String(publicKey.export({ type: 'spki', format: 'pem' })) })).rejects.toThrow(
      'privateKey: a private key',
    )
    const encrypted = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    await expect(sign({ privateKey: String(encrypted) })).rejects.toThrow('privateKey: the key is encrypted')
    const damaged = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'
    await expect(sign({ privateKey: damaged })).rejects.toThrow('privateKey: the private key cannot be read')
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
    await expect(sign({ privateKey: pemPair(short).privateKey })).rejects.toThrow('1024 bits')
  })

  it('refuses claims that the server would refuse', async () => {
    const sign = (token: unknown) => signToken(token as ConnectToken, { secret: SECRET })
    await expect(sign({ user: '' })).rejects.toThrow('claim "sub" must not be empty')
    await expect(sign({ user: 'a', capabilities: [{ channels: ['x'], allow: ['fly'] }] })).rejects.toThrow(
      'claim "caps[0].allow[0]" must be one of',
    )
    await expect(sign({ channel: 'a b' })).rejects.toThrow('claim "channel" must be a channel name')
    await expect(signToken({ user: 'a' }, { secret: SECRET }, { tokenId: '' })).rejects.toThrow('claim "jti" must not be empty')
  })
})
