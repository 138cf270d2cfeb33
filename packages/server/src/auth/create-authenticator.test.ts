import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@fusewire/testkit'
import { exportJWK } from 'jose'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createAuthenticator } from './create-authenticator.ts'
import { signToken } from './sign-token.ts'

const SECRET = 'a secret of thirty-two bytes or more'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fusewire-auth-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

describe('createAuthenticator', () => {
  it('refuses to start a server that no client could connect to', () => {
    expect(() => createAuthenticator({})).toThrow(/^no client could connect: set jwtSecret, /)
  })

  it.each([{ allowAnonymous: true }, { development: true }])(
    'lets everyone in without a token, and nobody with one, for %j without keys',
    async (options) => {
      const authenticator = createAuthenticator(options)
      expect(await authenticator.authenticate(undefined)).toEqual({ capabilities: [], channels: [] })
      const noKeys = { code: 'token_invalid', message: expect.stringContaining('has no keys') }
      await expect(authenticator.authenticate('token')).rejects.toMatchObject(noKeys)
      await expect(authenticator.authenticate('')).rejects.toMatchObject(noKeys)
      await expect(authenticator.authorizeChannel('token', 'c', undefined)).rejects.toMatchObject(noKeys)
    },
  )

  it('checks tokens as strictly in development as anywhere', async () => {
    const authenticator = createAuthenticator({ development: true, jwtSecret: SECRET })
    expect(await authenticator.authenticate(undefined)).toEqual({ capabilities: [], channels: [] })
    const forged = await signToken({ user: 'admin' }, { secret: 'x'.repeat(32) })
    await expect(authenticator.authenticate(forged)).rejects.toMatchObject({ code: 'token_invalid' })
  })

  it('asks for a token where only tokens are allowed', async () => {
    await expect(createAuthenticator({ jwtSecret: SECRET }).authenticate(undefined)).rejects.toMatchObject({
      code: 'token_required',
    })
  })

  it('reads the public key from its file', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const jwtPublicKeyFile = join(directory, 'jwt.pub')
    writeFileSync(jwtPublicKeyFile, publicKey.export({ type: 'spki', format: 'pem' }))
    const token = await signToken(
      { user: 'alice' },
      { privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() },
    )
    expect(await createAuthenticator({ jwtPublicKeyFile }).authenticate(token)).toMatchObject({ user: 'alice' })
  })

  it('names the option and the file that cannot be read', () => {
    const jwtPublicKeyFile = join(directory, 'missing.pub')
    expect(() => createAuthenticator({ jwtPublicKeyFile })).toThrow(`jwtPublicKeyFile: ${jwtPublicKeyFile} does not exist`)
    expect(() => createAuthenticator({ jwtPublicKeyFile: directory })).toThrow('is a folder')
  })

  it('passes issuer, audience, algorithms and tolerance on', async () => {
    const strict = createAuthenticator({
      jwtSecret: SECRET,
      jwtIssuer: 'backend',
      jwtAudience: 'fusewire',
      jwtAlgorithms: ['HS512'],
      jwtClockToleranceMs: 60_000,
    })
    const options = { issuer: 'backend', audience: 'fusewire', algorithm: 'HS512', expiresInMs: -30_000 }
    const key = { secret: SECRET }
    expect(await strict.authenticate(await signToken({ user: 'a' }, key, options))).toMatchObject({ user: 'a' })
    for (const change of [{ issuer: 'other' }, { audience: 'other' }, { algorithm: 'HS256' }])
      await expect(strict.authenticate(await signToken({ user: 'a' }, key, { ...options, ...change }))).rejects.toMatchObject({
        code: 'token_invalid',
      })
  })

  it('takes a fixed key set', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    const authenticator = createAuthenticator({ jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k' }] } })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const token = await signToken({ user: 'a' }, { privateKey: pem }, { keyId: 'k' })
    expect(await authenticator.authenticate(token)).toMatchObject({ user: 'a' })
  })

  it('starts while jwksUrl does not answer, and tells so', async () => {
    const onKeysUnavailable = vi.fn<(error: Error) => void>()
    const authenticator = createAuthenticator({ jwksUrl: 'http://127.0.0.1:1/', onKeysUnavailable })
    await eventually(() => expect(onKeysUnavailable).toHaveBeenCalledOnce())
    expect(onKeysUnavailable.mock.lastCall?.[0].message).toContain('the keys at jwksUrl http://127.0.0.1:1/ cannot be fetched')
    await expect(authenticator.authenticate(undefined)).rejects.toMatchObject({ code: 'token_required' })
  })

  it('takes http for jwksUrl in development alone', () => {
    const jwksUrl = 'http://keycloak.invalid:8080/keys'
    expect(() => createAuthenticator({ jwksUrl })).toThrow('must come over https')
    expect(() => createAuthenticator({ jwksUrl, development: true })).not.toThrow()
  })
})
