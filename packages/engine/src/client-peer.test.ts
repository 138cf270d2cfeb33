import { FusewireError, MessageError } from '@fusewire/protocol'
import { EngineHarness, HeldCalls, memoryFormat, plainAuthenticator, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it, vi } from 'vitest'

let harness: EngineHarness
beforeEach(async () => {
  harness = await EngineHarness.start()
})

describe('connecting', () => {
  it('answers connect with the session, its resume token and the heartbeat', async () => {
    const client = await harness.connect({ token: 'ann' })
    expect(client.last('connected')).toMatchObject({
      id: 1,
      user: 'ann',
      resumed: false,
      pingIntervalMs: 25_000,
      pongTimeoutMs: 5000,
    })
  })

  it('refuses a bad token with an error and a disconnect that asks for a new one', async () => {
    const client = await harness.connect({ token: 'bad' })
    expect(client.last('error')).toMatchObject({ id: 1, code: 'token_invalid' })
    expect(client.closedWith).toBe('token_invalid')
    expect(client.last('disconnect')).toMatchObject({ closeCode: 4101, reconnect: true })
  })

  it('refuses everything but ping and echo before connect, and stays open', () => {
    const client = harness.open()
    client.say({ type: 'publish', id: 7, channel: 'open:a', data: 1 })
    expect(client.last('error')).toMatchObject({ id: 7, code: 'not_connected' })
    client.say({ type: 'ping', id: 8 })
    expect(client.last('pong')).toEqual({ type: 'pong', id: 8 })
    client.say({ type: 'echo', data: { a: 1 } })
    expect(client.last('echo')).toEqual({ type: 'echo', data: { a: 1 } })
    expect(client.isOpen).toBe(true)
  })

  it('refuses a second connect', async () => {
    const client = await harness.connect()
    client.say({ type: 'connect', id: 2 })
    await turn()
    expect(client.last('error')).toMatchObject({ id: 2, code: 'already_connected' })
  })

  it('handles what arrives while the token is being checked afterwards, in order', async () => {
    const client = harness.open()
    client.say({ type: 'connect', id: 1 })
    client.say({ type: 'subscribe', id: 2, channel: 'open:a' })
    client.say({ type: 'publish', id: 3, channel: 'open:a', data: 'x' })
    client.say({ type: 'ping', id: 4 })
    await turn()
    expect(client.received.map(({ type }) => type)).toEqual(['connected', 'subscribed', 'publication', 'result', 'pong'])
  })

  it('refuses more waiting messages than maxPendingRequests without losing those before', async () => {
    const client = harness.open()
    client.say({ type: 'connect' })
    for (let id = 1; id <= 6; id++) client.say({ type: 'ping', id })
    await turn()
    expect(client.all('error').map(({ id, code }) => [id, code])).toEqual([
      [5, 'overloaded'],
      [6, 'overloaded'],
    ])
    expect(client.all('pong').map(({ id }) => id)).toEqual([1, 2, 3, 4])
  })

  it('makes the subscriptions of connect at once and reports those that fail', async () => {
    const client = await harness.connect({
      subscriptions: [
        { channel: 'open:a', id: 5 },
        { channel: 'secret:b', id: 6 },
      ],
    })
    expect(client.last('subscribed')).toMatchObject({ id: 5, channel: 'open:a' })
    expect(client.last('error')).toMatchObject({ id: 6, channel: 'secret:b', code: 'permission_denied' })
    expect(client.isOpen).toBe(true)
  })

  it("subscribes to the token's channels", async () => {
    const client = await harness.connect({ token: 'auto' })
    expect(client.all('subscribed').map(({ channel }) => channel)).toEqual(['open:auto', 'secret:auto'])
  })

  it('closes at once when frames are of the wrong type [P2]', () => {
    const client = harness.open()
    client.peer.reject(new FusewireError('wrong_frame_type'))
    expect(client.closedWith).toBe('wrong_frame_type')
    expect(client.all('error')).toEqual([])
    expect(client.last('disconnect')).toMatchObject({ code: 'wrong_frame_type', closeCode: 4203, reconnect: false })
  })

  it('closes after maxBadMessages, not before', () => {
    const client = harness.open()
    client.peer.reject(new MessageError('unknown_type', 'what?', 3))
    client.peer.reject(new MessageError('malformed_message', 'no'))
    expect(client.all('error').map(({ id, code }) => [id, code])).toEqual([
      [3, 'unknown_type'],
      [undefined, 'malformed_message'],
    ])
    expect(client.isOpen).toBe(true)
    client.peer.reject(new MessageError('malformed_message', 'no'))
    expect(client.closedWith).toBe('malformed_message')
  })
})

describe('heartbeats and ends', () => {
  it('ends a connection without any message after connectTimeoutMs', () => {
    const client = harness.open()
    harness.advance(9500)
    expect(client.isOpen).toBe(true)
    harness.advance(1000)
    expect(client.closedWith).toBe('connect_timeout')
  })

  it('holds a client that pings to its heartbeat, and keeps its session', async () => {
    const client = await harness.connect()
    client.say({ type: 'ping' })
    harness.advance(29_500)
    expect(client.isOpen).toBe(true)
    harness.advance(1000)
    expect(client.closedWith).toBe('heartbeat_timeout')
    expect(harness.engine.stats()).toMatchObject({ sessions: 1, detachedSessions: 1 })
  })

  it('probes a client that never pings, and keeps it as long as it answers', async () => {
    const client = await harness.connect()
    for (let n = 1; n <= 4; n++) {
      harness.advance(26_000)
      expect(client.probes).toBe(n)
      client.peer.alive()
    }
    harness.advance(31_000)
    expect(client.closedWith).toBe('heartbeat_timeout')
  })

  it('ends a connection when its token ends, and takes a refreshed one', async () => {
    const client = await harness.connect({ token: `ann@${harness.environment.now() + 12_000}` })
    client.say({ type: 'refresh', id: 2, token: `ann@${harness.environment.now() + 20_000}` })
    await turn()
    expect(client.last('result').data).toEqual({ expiresAt: harness.environment.now() + 20_000 })
    harness.advance(13_000)
    expect(client.isOpen).toBe(true)
    client.say({ type: 'refresh', id: 3, token: 'bob' })
    await turn()
    expect(client.last('error')).toMatchObject({ id: 3, code: 'token_invalid' })
    harness.advance(8000)
    expect(client.closedWith).toBe('token_expired')
  })

  it('ends a subscription when its channel token ends', async () => {
    const client = await harness.connect({ token: 'ann' })
    client.say({ type: 'subscribe', channel: 'secret:x', token: `ann>secret:x@${harness.environment.now() + 20_000}` })
    await turn()
    harness.advance(21_000)
    expect(client.last('unsubscribed')).toMatchObject({ channel: 'secret:x', code: 'token_expired' })
  })

  it('disconnects and unsubscribes a user on all connections', async () => {
    const clients = [
      await harness.connect({ token: 'ann' }),
      await harness.connect({ token: 'ann' }),
      await harness.connect({ token: 'bob' }),
    ]
    for (const client of clients) await harness.subscribe(client, 'open:a')
    expect(harness.engine.unsubscribeUser({ user: 'ann' }, 'open:a')).toBe(2)
    expect(clients[0]?.last('unsubscribed')).toMatchObject({ code: 'disconnected' })
    expect(await harness.engine.subscribeUser({ user: 'ann' }, 'secret:x')).toBe(2)
    expect(clients[1]?.last('subscribed').channel).toBe('secret:x')
    expect(harness.engine.disconnectUser({ user: 'ann' })).toBe(2)
    expect(clients.map(({ closedWith }) => closedWith)).toEqual(['disconnected', 'disconnected', undefined])
    expect(harness.engine.stats().sessions).toBe(1)
  })
})

describe('messages that cannot be written', () => {
  it('become internal errors of their requests, whether the answer is there at once or later', async () => {
    harness = await EngineHarness.start({
      authenticator: {
        ...plainAuthenticator,
        authenticate: async () => ({ user: 'ann', info: 1n, capabilities: [], channels: [] }),
      },
    })
    harness.rpc.add('big', () => 1n)
    const client = await harness.connect({ token: 'ann' })
    await harness.subscribe(client, 'open:a')
    expect(() => client.say({ type: 'presence', id: 5, channel: 'open:a' })).not.toThrow()
    client.say({ type: 'rpc', id: 6, method: 'big' })
    await turn()
    expect(client.all('error').map(({ id, code }) => [id, code])).toEqual([
      [5, 'internal_error'],
      [6, 'internal_error'],
    ])
    expect(harness.events.filter(([event]) => event === 'request_failed')).toHaveLength(2)
  })
})

describe('leaving', () => {
  it('ends the session of a client that is told to stop, though its stream closes at once', async () => {
    const client = await harness.connect({ token: 'ann' })
    for (let n = 0; n < 3; n++) client.peer.reject(new MessageError('malformed_message', 'no'))
    expect(client.closedWith).toBe('malformed_message')
    expect(harness.engine.stats()).toMatchObject({ sessions: 0, connections: 0 })
  })

  it('handles nothing that waits behind disconnect', async () => {
    const format = memoryFormat('watched')
    const encode = vi.spyOn(format, 'encode')
    const client = harness.open(format)
    client.say({ type: 'connect' })
    client.say({ type: 'disconnect' })
    client.say({ type: 'ping' })
    client.say({ type: 'rpc', id: 2, method: 'nothing' })
    await turn()
    expect(client.closedWith).toBe('closed')
    expect(encode.mock.calls.map(([{ type }]) => type)).toEqual(['connected'])
  })
})

describe('the end of a token', () => {
  it('is kept when it is near at once', async () => {
    const client = await harness.connect({ token: `ann@${harness.environment.now() + 3000}` })
    harness.advance(3500)
    expect(client.closedWith).toBe('token_expired')
  })

  it('is kept when a refresh brings it nearer', async () => {
    const client = await harness.connect({ token: 'ann' })
    client.say({ type: 'refresh', token: `ann@${harness.environment.now() + 3000}` })
    await turn()
    harness.advance(2500)
    expect(client.isOpen).toBe(true)
    harness.advance(1000)
    expect(client.closedWith).toBe('token_expired')
  })

  it('is not set by a connection that has been replaced while its token was checked', async () => {
    const tokens = new HeldCalls()
    harness = await EngineHarness.start({ authenticator: tokens.of(plainAuthenticator, 'authenticate') })
    const first = await harness.connect({ token: 'ann' })
    tokens.holding = 'calls'
    first.say({ type: 'refresh', token: `ann@${harness.environment.now() + 3000}` })
    tokens.holding = 'nothing'
    const second = await harness.connect({ resume: first.last('connected').resume, token: 'ann' })
    tokens.release()
    await turn()
    harness.advance(24_000)
    second.say({ type: 'ping' })
    harness.advance(24_000)
    expect(second.isOpen).toBe(true)
  })
})

describe('a clock that leaps', () => {
  const HOUR = 3_600_000

  it.each([
    ['ahead', HOUR],
    ['back', -HOUR],
  ])('%s tells nothing about clients: each gets a full interval from then', async (_, leap) => {
    const fresh = harness.open()
    const pinging = await harness.connect()
    pinging.say({ type: 'ping' })
    const listening = await harness.connect()
    const left = await harness.connect({ token: 'ann' })
    left.cut()
    harness.advance(9000)
    harness.environment.advance(leap)
    harness.engine.tick()
    harness.advance(9000)
    expect([fresh.isOpen, pinging.isOpen, listening.isOpen]).toEqual([true, true, true])
    harness.advance(1500)
    expect(fresh.closedWith).toBe('connect_timeout')
    harness.advance(18_000)
    expect([pinging.isOpen, listening.isOpen, listening.probes]).toEqual([true, true, 1])
    harness.advance(2000)
    expect([pinging.closedWith, listening.closedWith]).toEqual(['heartbeat_timeout', 'heartbeat_timeout'])
    expect(harness.engine.stats()).toMatchObject({ sessions: 3, sessionsExpired: 0 })
    harness.advance(30_000)
    expect(harness.engine.stats()).toMatchObject({ sessions: 2, sessionsExpired: 1 })
  })

  it('is seen where a heartbeat may be late by less than that', async () => {
    const hasty = await EngineHarness.start({ limits: { pingIntervalMs: 2000, pongTimeoutMs: 1000 } })
    const client = await hasty.connect()
    hasty.advance(1900)
    // The process stands still, and has not read yet what the client has sent meanwhile.
    hasty.environment.advance(1200)
    hasty.engine.tick()
    expect(client.isOpen).toBe(true)
    hasty.advance(3500)
    expect(client.closedWith).toBe('heartbeat_timeout')
  })

  it('is not seen in every tick where a heartbeat may be late by less than a tick', async () => {
    const hasty = await EngineHarness.start({ limits: { pingIntervalMs: 500, pongTimeoutMs: 100, sessionTtlMs: 2000 } })
    const client = await hasty.connect()
    hasty.advance(2000)
    expect(client.closedWith).toBe('heartbeat_timeout')
    hasty.advance(4000)
    expect(hasty.engine.stats()).toMatchObject({ sessions: 0 })
  })

  it('ahead ends tokens, which are good until a date', async () => {
    const client = await harness.connect({ token: `ann@${harness.environment.now() + HOUR}` })
    harness.environment.advance(2 * HOUR)
    harness.engine.tick()
    harness.advance(500)
    expect(client.closedWith).toBe('token_expired')
  })
})
