import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { exportJWK, generateSecret, type JWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { TestAuthority } from '../tls/testing/certificate-authority.ts'
import { KeySet } from './key-set.ts'
import { PublicKeys } from './public-keys.ts'
import { SecretKeys } from './secret-keys.ts'

const spki = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()
const pkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

const refused = (make: () => unknown, option: string, message: string): void => {
  expect(make).toThrow(
    expect.objectContaining({
      name: 'ConfigurationError',
      problems: [{ option, message: expect.stringContaining(message) }],
    }),
  )
}

describe('a secret', () => {
  it('has at least 32 bytes, counted in UTF-8', () => {
    refused(() => new SecretKeys('x'.repeat(31)), 'jwtSecret', 'has 31 bytes and needs at least 32')
    expect(() => new SecretKeys('x'.repeat(32))).not.toThrow()
    expect(() => new SecretKeys('é'.repeat(16))).not.toThrow()
    refused(() => new SecretKeys(''), 'jwtSecret', 'openssl rand -base64 32')
  })

  it('serves HMAC alone', () => {
    expect(new SecretKeys('x'.repeat(32)).algorithms).toEqual(['HS256', 'HS384', 'HS512'])
  })
})

describe('a public key', () => {
  it.each([
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }), ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
    ['P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' }), ['ES256']],
    ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }), ['ES384']],
    ['P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' }), ['ES512']],
    ['Ed25519', generateKeyPairSync('ed25519'), ['EdDSA', 'Ed25519']],
  ] as const)('of kind %s serves its own algorithms', (_, { publicKey }, algorithms) => {
    expect(new PublicKeys(spki(publicKey)).algorithms).toEqual(algorithms)
  })

  it('may be a certificate, or RSA in the older form', async () => {
    const { cert } = await (await TestAuthority.create()).issue({ keyType: 'ecdsa' })
    expect(new PublicKeys(cert).algorithms).toEqual(['ES256'])
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    expect(new PublicKeys(publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()).algorithms).toContain('RS256')
  })

  it('is refused when it is private, also when it is encrypted', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    refused(() => new PublicKeys(pkcs8(privateKey)), 'jwtPublicKeyFile', 'holds a private key')
    const encrypted = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString()
    refused(() => new PublicKeys(encrypted), 'jwtPublicKeyFile', 'holds a private key')
    refused(
      () => new PublicKeys(privateKey.export({ type: 'sec1', format: 'pem' }).toString()),
      'jwtPublicKeyFile',
      'holds a private key',
    )
  })

  it.each([
    ['a short RSA key', generateKeyPairSync('rsa', { modulusLength: 1024 }), 'has 1024 bits and needs at least 2048'],
    ['a curve without algorithm', generateKeyPairSync('ec', { namedCurve: 'secp256k1' }), 'secp256k1'],
    ['RSA-PSS alone', generateKeyPairSync('rsa-pss', { modulusLength: 2048 }), 'RSA-PSS'],
    ['a key for key agreement', generateKeyPairSync('x25519'), 'type x25519 cannot sign'],
    ['Ed448', generateKeyPairSync('ed448'), 'type ed448'],
  ] as const)('is refused when it is %s', (_, { publicKey }, message) => {
    refused(() => new PublicKeys(spki(publicKey)), 'jwtPublicKeyFile', message)
  })

  it('is refused when it is no PEM or damaged, with the name of the file', () => {
    refused(() => new PublicKeys('secret', '/etc/jwt.pub'), 'jwtPublicKeyFile', '/etc/jwt.pub holds no PEM')
    const damaged = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'
    refused(
      () => new PublicKeys(damaged, '/etc/jwt.pub'),
      'jwtPublicKeyFile',
      '/etc/jwt.pub holds a PUBLIC KEY that cannot be read',
    )
  })
})

describe('a key set', () => {
  const jwk = async (kind: 'ec' | 'rsa' = 'ec'): Promise<JWK> =>
    exportJWK(
      kind === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
        : generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey,
    )

  it('serves the algorithms of its keys, narrowed by alg, and passes over keys for encryption', async () => {
    const keys = [
      { ...(await jwk()), kid: '1' },
      { ...(await jwk('rsa')), kid: '2', alg: 'PS256' },
      { ...(await jwk('rsa')), kid: '3', use: 'enc' },
    ]
    expect(new KeySet({ keys }).algorithms).toEqual(['ES256', 'PS256'])
  })

  it.each([[{}], [{ keys: {} }], [{ keys: [1] }], [[]]])('is refused when it is %j', (jwks) => {
    refused(() => new KeySet(jwks as unknown as { keys: JWK[] }), 'jwks', 'a key set has the form')
  })

  it('is refused when it has no key for signatures', async () => {
    refused(() => new KeySet({ keys: [] }), 'jwks', 'no key for signatures')
    const encryption = { ...(await jwk('rsa')), use: 'enc' }
    refused(() => new KeySet({ keys: [encryption] }), 'jwks', 'no key for signatures')
  })

  it('is refused with a secret, a private key or a key that cannot be read in it', async () => {
    const good = await jwk()
    const secret = await exportJWK(await generateSecret('HS256', { extractable: true }))
    refused(() => new KeySet({ keys: [good, secret] }), 'jwks.keys[1]', 'give it as jwtSecret')
    const privateKey = await exportJWK(generateKeyPairSync('ed25519').privateKey)
    refused(() => new KeySet({ keys: [privateKey] }), 'jwks.keys[0]', 'the key is private')
    refused(() => new KeySet({ keys: [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }] }), 'jwks.keys[0]', 'cannot be read')
    const short = await exportJWK(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)
    refused(() => new KeySet({ keys: [short] }), 'jwks.keys[0]', '1024 bits')
  })

  it('tries at most 16 keys for a token without kid', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => jwk()))
    expect(await new KeySet({ keys }).find({ alg: 'ES256' })).toHaveLength(16)
  })
})
