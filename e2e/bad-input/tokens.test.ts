import { generateKeyPairSync } from 'node:crypto'
import { ERRORS, type ErrorCode } from '@fusewire/protocol'
import { eventually } from '@fusewire/testkit'
import { SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, onTestFinished } from 'vitest'
import { harmTest } from '../bystanders.ts'
import type { FusewireProcess } from '../fusewire-process.ts'
import { AUDIENCE, ISSUER, PRODUCTION, signToken } from '../server-variants.ts'
import { all, until, type Way, type WireClient } from '../wire/way.ts'
import { WAYS } from '../wire/ways.ts'

const it = harmTest(PRODUCTION)

const nowSeconds = (): number => Math.floor(Date.now() / 1000)

/** A good token whose payload has been exchanged. */
const tampered = async (): Promise<string> => {
  const [header, , signature] = (await signToken('mallory')).split('.')
  const payload = Buffer.from(JSON.stringify({ sub: 'alice', iss: ISSUER, aud: AUDIENCE, exp: nowSeconds() + 300 }))
  return `${header}.${payload.toString('base64url')}.${signature}`
}

/** Signed with a key of the forger's own, which the token brings along. */
const selfSigned = (): Promise<string> => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', jwk: publicKey.export({ format: 'jwk' }) as Record<string, string> })
    .setSubject('alice')
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .sign(privateKey)
}

interface BadToken {
  readonly name: string
  readonly code: 'token_required' | 'token_invalid' | 'token_expired'
  readonly make: () => string | undefined | Promise<string>
}

const BAD_TOKENS: readonly BadToken[] = [
  { name: 'no token', code: 'token_required', make: () => undefined },
  { name: 'what is no token', code: 'token_invalid', make: () => 'letmein' },
  {
    name: 'a forged signature',
    code: 'token_invalid',
    make: () => signToken('alice', { secret: 'another secret of 32 bytes and more' }),
  },
  { name: 'an exchanged payload', code: 'token_invalid', make: tampered },
  { name: 'no signature (alg none)', code: 'token_invalid', make: () => new UnsecuredJWT({}).setSubject('alice').encode() },
  { name: 'a key of its own', code: 'token_invalid', make: selfSigned },
  { name: 'an end in the past', code: 'token_expired', make: () => signToken('alice', { expiresIn: -60 }) },
  {
    name: 'a beginning in the future',
    code: 'token_invalid',
    make: () => signToken('alice', { claims: { nbf: nowSeconds() + 60 } }),
  },
  { name: 'a foreign audience', code: 'token_invalid', make: () => signToken('alice', { audience: 'another-service' }) },
  { name: 'a foreign issuer', code: 'token_invalid', make: () => signToken('alice', { issuer: 'https://id.example.net' }) },
  { name: 'nobody it is about', code: 'token_invalid', make: () => signToken(undefined) },
  { name: 'a channel', code: 'token_invalid', make: () => signToken('alice', { claims: { channel: 'chat:lobby' } }) },
  { name: 'an end in milliseconds', code: 'token_invalid', make: () => signToken('alice', { expiresIn: Date.now() }) },
]

const open = async (way: Way, server: FusewireProcess): Promise<WireClient> => {
  const client = await way.open(server)
  onTestFinished(() => client.destroy())
  return client
}

describe.each(WAYS)('connect over $name', (way) => {
  it.for(BAD_TOKENS)('with $name is refused with $code, and ends', async ({ code, make }, { server }) => {
    const token = await make()
    const client = await open(way, server)
    client.send({ type: 'connect', id: 1, ...(token !== undefined && { token }) }, { type: 'ping', id: 2 })
    expect(await until(client, 'error', { id: 1 })).toMatchObject({ code, retryable: false })
    const { closeCode } = ERRORS[code]
    expect(await until(client, 'disconnect')).toMatchObject({ code, closeCode, reconnect: true })
    await eventually(() => expect(client.end).toBeDefined())
    if (way.framing === 'websocket') expect(client.end).toEqual({ closeCode })
    expect(all(client, 'connected')).toEqual([])
  })
})

describe('a one-way SSE stream', () => {
  const get = async (server: FusewireProcess, query: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${server.https}/fusewire/v1/sse?channel=chat:lobby${query}`, { headers })
    return { status: response.status, error: ((await response.json()) as { error: { code: ErrorCode } }).error }
  }

  it.for(BAD_TOKENS)('with $name is answered with $code and its status [T15]', async ({ code, make }, { server }) => {
    const token = await make()
    const answers = [get(server, token === undefined ? '' : `&token=${token}`)]
    if (token !== undefined) answers.push(get(server, '', { authorization: `Bearer ${token}` }))
    for (const answer of await Promise.all(answers))
      expect(answer).toMatchObject({ status: ERRORS[code].httpStatus, error: { code, retryable: false } })
  })

  it('of a channel that its token does not open is answered with 403', async ({ server }) => {
    const token = await signToken('alice')
    const response = await fetch(`${server.https}/fusewire/v1/sse?channel=private:x&token=${token}`)
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ error: { code: 'permission_denied' } })
  })
})

describe('a connected client', () => {
  const connect = async (server: FusewireProcess, user: string, expiresIn = 300): Promise<WireClient> => {
    const client = await open(WAYS[0] as Way, server)
    client.send({ type: 'connect', id: 1, token: await signToken(user, { expiresIn }) })
    expect(await until(client, 'connected')).toMatchObject({ user })
    return client
  }

  it('is refused what rules and capabilities do not allow, request by request', async ({ server }) => {
    const client = await connect(server, 'alice')
    const requests = [
      { type: 'subscribe', channel: 'inbox:bob' },
      { type: 'subscribe', channel: 'private:x' },
      { type: 'publish', channel: 'news', data: 1 },
      { type: 'history', channel: 'inbox:bob' },
    ]
    client.send(...requests.map((request, index) => ({ ...request, id: 10 + index })))
    for (const [index, { channel }] of requests.entries())
      expect(await until(client, 'error', { id: 10 + index })).toMatchObject({ code: 'permission_denied', channel })
    client.send({ type: 'subscribe', id: 20, channel: 'inbox:alice' }, { type: 'publish', id: 21, channel: 'chat:x', data: 1 })
    await until(client, 'subscribed', { id: 20 })
    await until(client, 'result', { id: 21 })
  })

  it.for([
    {
      name: 'forged',
      make: () => signToken('alice', { claims: { channel: 'private:x' }, secret: 'x'.repeat(32) }),
      code: 'token_invalid',
    },
    {
      name: 'expired',
      make: () => signToken('alice', { claims: { channel: 'private:x' }, expiresIn: -60 }),
      code: 'token_expired',
    },
    {
      name: 'made for another channel',
      make: () => signToken('alice', { claims: { channel: 'private:y' } }),
      code: 'token_invalid',
    },
    { name: 'made for another user', make: () => signToken('bob', { claims: { channel: 'private:x' } }), code: 'token_invalid' },
    { name: 'made to connect', make: () => signToken('alice'), code: 'token_invalid' },
  ])('is refused a channel for a token that is $name, and stays', async ({ make, code }, { server }) => {
    const client = await connect(server, 'alice')
    client.send({ type: 'subscribe', id: 2, channel: 'private:x', token: await make() })
    expect(await until(client, 'error', { id: 2 })).toMatchObject({ code, channel: 'private:x' })
    client.send({
      type: 'subscribe',
      id: 3,
      channel: 'private:x',
      token: await signToken('alice', { claims: { channel: 'private:x' } }),
    })
    await until(client, 'subscribed', { id: 3 })
  })

  it('is refused a refresh to another user, or with what is no token, and stays who it is', async ({ server }) => {
    const client = await connect(server, 'alice')
    client.send({ type: 'refresh', id: 2, token: await signToken('bob') }, { type: 'refresh', id: 3, token: 'x' })
    expect(await until(client, 'error', { id: 2 })).toMatchObject({ code: 'token_invalid' })
    expect(await until(client, 'error', { id: 3 })).toMatchObject({ code: 'token_invalid' })
    client.send({ type: 'refresh', id: 4, token: await signToken('alice') })
    await until(client, 'result', { id: 4 })
  })

  it('gets a new session for a resume token that was made up, or is of another user [S3]', async ({ server }) => {
    const { resume, session } = await until(await connect(server, 'alice'), 'connected')
    for (const secret of [resume, `${session}.${'x'.repeat(24)}`, '', 'x'.repeat(8192)].filter(Boolean)) {
      const other = await open(WAYS[0] as Way, server)
      other.send({ type: 'connect', resume: secret, token: await signToken('mallory') })
      const connected = await until(other, 'connected')
      expect(connected).toMatchObject({ resumed: false, user: 'mallory' })
      expect(connected.session).not.toBe(session)
    }
  })

  it('is ended with token_expired when its token ends', async ({ server }) => {
    const client = await connect(server, 'alice', 1)
    expect(await until(client, 'disconnect')).toMatchObject({ code: 'token_expired', closeCode: 4102 })
    await eventually(() => expect(client.end).toEqual({ closeCode: 4102 }))
  })
})

describe('the HTTP API', () => {
  it.for([
    { name: 'no key', headers: {}, code: 'api_key_required' },
    { name: 'an unknown key', headers: { authorization: 'Bearer of-another-server-0123' }, code: 'api_key_invalid' },
    { name: 'the token of a client', headers: { 'x-api-key': 'a.b.c' }, code: 'api_key_invalid' },
  ] as const)('with $name is refused with $code', async ({ headers, code }, { server }) => {
    for (const base of [server.https, server.http]) {
      const response = await fetch(`${base}/v1/publish`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: '{"channel":"a","data":1}',
      })
      expect(response.status).toBe(401)
      expect(await response.json()).toMatchObject({ error: { code, retryable: false } })
    }
  })
})
