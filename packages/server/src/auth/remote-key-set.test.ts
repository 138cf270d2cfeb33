import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { eventually } from '@fusewire/testkit'
import { exportJWK, type JWK, SignJWT } from 'jose'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { JwtAuthenticator } from './jwt-authenticator.ts'
import { RemoteKeySet, type RemoteKeySetOptions } from './remote-key-set.ts'
import type { KeysUnavailableError } from './token-keys.ts'

interface SigningPair {
  readonly jwk: JWK
  readonly privateKey: KeyObject
}

const makePair = async (kid: string): Promise<SigningPair> => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { jwk: { ...(await exportJWK(publicKey)), kid }, privateKey }
}

const tokenOf = ({ jwk, privateKey }: SigningPair): Promise<string> =>
  new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg: 'ES256', kid: jwk.kid ?? '' }).sign(privateKey)

/** An identity provider on loopback, whose keys and answers the test decides. */
class KeyServer {
  keys: JWK[] = []
  requests = 0
  answer: RequestListener = (_, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: this.keys }))
  readonly #server = createServer((request, response) => {
    this.requests++
    this.answer(request, response)
  })

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    onTestFinished(() => this.stop())
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks.json?apikey=hidden`
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

let errors: KeysUnavailableError[]

beforeEach(() => {
  errors = []
})

const setup = async (options: Partial<RemoteKeySetOptions> = {}) => {
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const server = await new KeyServer().start()
  const keySet = new RemoteKeySet({ url: server.url, onError: (error) => errors.push(error), ...options })
  const authenticator = new JwtAuthenticator({ keys: [keySet] })
  return { server, keySet, authenticator, later: (ms: number) => vi.setSystemTime(Date.now() + ms) }
}

const unavailable = { code: 'internal_error', message: 'The keys to check tokens with cannot be fetched now. Try again later.' }

describe('a key set at an address', () => {
  it('is fetched once for many tokens', async () => {
    const { server, authenticator } = await setup()
    const pair = await makePair('1')
    server.keys = [pair.jwk]
    const token = await tokenOf(pair)
    const identities = await Promise.all(Array.from({ length: 20 }, () => authenticator.authenticate(token)))
    expect(identities.every(({ user }) => user === 'alice')).toBe(true)
    expect(server.requests).toBe(1)
  })

  it('is fetched before the first token when asked to', async () => {
    const { server, keySet, authenticator } = await setup()
    const pair = await makePair('1')
    server.keys = [pair.jwk]
    keySet.prefetch()
    await eventually(() => expect(server.requests).toBe(1))
    await authenticator.authenticate(await tokenOf(pair))
    expect(server.requests).toBe(1)
  })

  it('follows a rotation: a new kid leads to a fetch, and the key that is gone is refused', async () => {
    const { server, authenticator, later } = await setup()
    const [before, after] = [await makePair('1'), await makePair('2')]
    server.keys = [before.jwk]
    await authenticator.authenticate(await tokenOf(before))
    server.keys = [after.jwk]
    later(10_000)
    expect(await authenticator.authenticate(await tokenOf(after))).toMatchObject({ user: 'alice' })
    expect(server.requests).toBe(2)
    await expect(authenticator.authenticate(await tokenOf(before))).rejects.toMatchObject({ code: 'token_invalid' })
  })

  it('is not fetched for unknown kids more often than the cooldown allows', async () => {
    const { server, authenticator, later } = await setup()
    const [known, unknown] = [await makePair('1'), await makePair('2')]
    server.keys = [known.jwk]
    await authenticator.authenticate(await tokenOf(known))
    const token = await tokenOf(unknown)
    for (let i = 0; i < 5; i++) await expect(authenticator.authenticate(token)).rejects.toMatchObject({ code: 'token_invalid' })
    expect(server.requests).toBe(1)
    later(10_000)
    for (let i = 0; i < 5; i++) await expect(authenticator.authenticate(token)).rejects.toMatchObject({ code: 'token_invalid' })
    expect(server.requests).toBe(2)
  })

  it('is fetched again when it is 10 minutes old, so that a withdrawn key ends', async () => {
    const { server, authenticator, later } = await setup()
    const pair = await makePair('1')
    server.keys = [pair.jwk]
    const token = await tokenOf(pair)
    await authenticator.authenticate(token)
    server.keys = [(await makePair('2')).jwk]
    later(599_999)
    await authenticator.authenticate(token)
    expect(server.requests).toBe(1)
    later(1)
    await expect(authenticator.authenticate(token)).rejects.toMatchObject({ code: 'token_invalid' })
    expect(server.requests).toBe(2)
  })

  it('goes on from what it has through an outage of an hour, and then says that it cannot know', async () => {
    const { server, authenticator, later } = await setup()
    const pair = await makePair('1')
    server.keys = [pair.jwk]
    const token = await tokenOf(pair)
    await authenticator.authenticate(token)
    server.answer = (_, response) => response.writeHead(503).end()
    later(3_599_999)
    expect(await authenticator.authenticate(token)).toMatchObject({ user: 'alice' })
    later(1)
    await expect(authenticator.authenticate(token)).rejects.toMatchObject(unavailable)
    expect(errors[0]?.message).toMatch(
      /^the keys at jwksUrl http:\/\/127\.0\.0\.1:\d+\/jwks\.json cannot be fetched: answered 503$/,
    )
  })

  it('does not call a token wrong whose key it could not look for', async () => {
    const { server, authenticator, later } = await setup()
    const [before, after] = [await makePair('1'), await makePair('2')]
    server.keys = [before.jwk]
    await authenticator.authenticate(await tokenOf(before))
    server.answer = (_, response) => response.writeHead(500).end()
    later(10_000)
    await expect(authenticator.authenticate(await tokenOf(after))).rejects.toMatchObject(unavailable)
    await expect(authenticator.authenticate(await tokenOf(after))).rejects.toMatchObject(unavailable)
    expect(await authenticator.authenticate(await tokenOf(before))).toMatchObject({ user: 'alice' })
    server.keys = [after.jwk]
    server.answer = (_, response) => response.end(JSON.stringify({ keys: server.keys }))
    later(2_000)
    expect(await authenticator.authenticate(await tokenOf(after))).toMatchObject({ user: 'alice' })
  })

  it('is left in peace for 2 s after a failure, which is reported once', async () => {
    const { server, authenticator, later } = await setup()
    server.answer = (_, response) => response.writeHead(500).end()
    const token = await tokenOf(await makePair('1'))
    for (let i = 0; i < 5; i++) await expect(authenticator.authenticate(token)).rejects.toMatchObject(unavailable)
    expect(server.requests).toBe(1)
    expect(errors).toHaveLength(1)
    later(2_000)
    await expect(authenticator.authenticate(token)).rejects.toMatchObject(unavailable)
    expect(server.requests).toBe(2)
  })

  it('that refuses connections gives a clear error at once', async () => {
    const { server, authenticator } = await setup()
    server.stop()
    await expect(authenticator.authenticate(await tokenOf(await makePair('1')))).rejects.toMatchObject(unavailable)
    expect(errors[0]?.message).toContain('ECONNREFUSED')
    expect(errors[0]?.message).not.toContain('hidden')
  })

  it.each([
    ['never answers', () => {}],
    ['never ends its answer', (_, response) => response.write('{"keys":[')],
  ] satisfies [string, RequestListener][])('that %s is given up after the timeout', async (_, answer) => {
    const { server, authenticator } = await setup({ timeoutMs: 50 })
    server.answer = answer
    await expect(authenticator.authenticate(await tokenOf(await makePair('1')))).rejects.toMatchObject(unavailable)
    expect(errors[0]?.message).toMatch(/timeout|timed out/)
  })

  it.each([
    ['no JSON', '<html>', 'JSON'],
    ['no key set', '{"error":"no"}', 'malformed'],
    ['more than the limit', `{"keys":[${' '.repeat(2_000)}]}`, 'more than 1000 bytes'],
  ])('that answers %s is refused', async (_, body, reason) => {
    const { server, authenticator } = await setup({ maxBytes: 1_000 })
    server.answer = (_request, response) => response.end(body)
    await expect(authenticator.authenticate(await tokenOf(await makePair('1')))).rejects.toMatchObject(unavailable)
    expect(errors[0]?.message).toContain(reason)
  })

  it('that redirects is not followed', async () => {
    const { server, authenticator } = await setup()
    server.answer = (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
    await expect(authenticator.authenticate(await tokenOf(await makePair('1')))).rejects.toMatchObject(unavailable)
    expect(errors[0]?.message).toContain('answered 302; redirects are not followed')
  })

  it('never serves HMAC, even if it holds a secret', async () => {
    const { server, authenticator } = await setup()
    const secret = Buffer.from('x'.repeat(32))
    server.keys = [{ kty: 'oct', k: secret.toString('base64url'), kid: '1' }]
    const token = await new SignJWT({ sub: 'admin' }).setProtectedHeader({ alg: 'HS256', kid: '1' }).sign(secret)
    await expect(authenticator.authenticate(token)).rejects.toMatchObject({ code: 'token_invalid' })
    expect(server.requests).toBe(0)
  })
})

describe('jwksUrl', () => {
  const make =
    (url: string, allowHttp = false) =>
    () =>
      new RemoteKeySet({ url, allowHttp })

  it.each(['https://id.example.com/keys', 'http://localhost:8080/keys', 'http://127.0.0.1/keys', 'http://[::1]:1/keys'])(
    'may be %s',
    (url) => {
      expect(make(url)).not.toThrow()
    },
  )

  it.each([
    ['http://id.example.com/keys', 'must come over https'],
    ['http://localhost.example.com/keys', 'must come over https'],
    ['http://127.0.0.1.example.com/keys', 'must come over https'],
    ['id.example.com', 'not a URL'],
    ['file:///etc/keys.json', 'file: cannot be fetched'],
    ['https://user:password@id.example.com/', 'user name or password'],
  ])('must not be %s', (url, message) => {
    expect(make(url)).toThrow(message)
    expect(make(url)).toThrow('jwksUrl: ')
  })

  it('may be http where the caller takes the risk', () => {
    expect(make('http://keycloak:8080/keys', true)).not.toThrow()
  })
})
