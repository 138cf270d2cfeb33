import type { ClientMessage, Position } from '@fusewire/protocol'
import { FusewireError, MessageError } from '@fusewire/protocol'
import { FakeEnvironment, MemoryConnection, memoryFormat, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { Engine, type EngineLimits } from './engine.ts'
import { MemoryBroker } from './memory/memory-broker.ts'
import { MemoryPresence } from './memory/memory-presence.ts'
import type { Authenticator, Identity } from './ports/authenticator.ts'
import { RpcRouter } from './rpc-router.ts'
import { DEFAULT_RULE, DEVELOPMENT_RULE } from './rule.ts'
import { RuleBook } from './rule-book.ts'

const LIMITS: EngineLimits = {
  pingIntervalMs: 25_000,
  pongTimeoutMs: 5000,
  connectTimeoutMs: 10_000,
  sessionTtlMs: 60_000,
  maxBadMessages: 3,
  maxPendingRequests: 4,
  maxChannelsPerSession: 3,
}

/** Tokens are `user`, `user@expiry`; `bad` is refused. Channel tokens are `user>channel`. */
const authenticator: Authenticator = {
  async authenticate(token): Promise<Identity> {
    if (token === 'bad') throw new FusewireError('token_invalid')
    const [user, expiresAt] = token?.split('@') ?? []
    return {
      ...(user !== undefined && { user }),
      ...(expiresAt !== undefined && { expiresAt: Number(expiresAt) }),
      capabilities: user === 'admin' ? [{ channels: ['**'], allow: ['publish', 'subscribe'] }] : [],
      channels: user === 'auto' ? ['open:auto'] : [],
    }
  },
  async authorizeChannel(token, channel, user) {
    if (token !== `${user}>${channel}`) throw new FusewireError('token_invalid')
    return { channel, expiresAt: 1_000_000 + 20_000 }
  },
}

let environment: FakeEnvironment
let engine: Engine
let rpc: RpcRouter

const open = (format?: ReturnType<typeof memoryFormat>) => new MemoryConnection((connection) => engine.open(connection), format)

const connect = async (message: Partial<Extract<ClientMessage, { type: 'connect' }>> = {}): Promise<MemoryConnection> => {
  const connection = open()
  connection.say({ type: 'connect', id: 1, ...message })
  await turn()
  return connection
}

const subscribe = async (connection: MemoryConnection, channel: string, since?: Position): Promise<void> => {
  connection.say({ type: 'subscribe', channel, ...(since && { since }) })
  await turn()
}

const advance = (ms: number): void => {
  for (let passed = 0; passed < ms; passed += 250) {
    environment.advance(250)
    engine.tick()
  }
}

beforeEach(async () => {
  environment = new FakeEnvironment()
  rpc = new RpcRouter()
  const rules = new RuleBook(DEFAULT_RULE)
  rules.add('open:*', DEVELOPMENT_RULE)
  rules.add('short:*', { ...DEVELOPMENT_RULE, historySize: 2 })
  rules.add('none:*', { ...DEVELOPMENT_RULE, historySize: 0, presence: false })
  rules.add('inbox:*', { ...DEFAULT_RULE, subscribe: 'owner' })
  rules.add('secret:*', { ...DEFAULT_RULE, subscribe: 'nobody', publish: 'nobody' })
  engine = new Engine({
    broker: new MemoryBroker(environment),
    presence: new MemoryPresence(),
    authenticator,
    environment,
    rules,
    rpc,
    limits: LIMITS,
    log: () => undefined,
    node: { node: 'test', version: '0.0.0' },
  })
  await engine.start()
})

describe('connecting', () => {
  it('answers connect with the session, its resume token and the heartbeat', async () => {
    const client = await connect({ token: 'ann' })
    expect(client.last('connected')).toMatchObject({
      id: 1,
      user: 'ann',
      resumed: false,
      pingIntervalMs: 25_000,
      pongTimeoutMs: 5000,
    })
  })

  it('refuses a bad token with an error and a disconnect that asks for a new one', async () => {
    const client = await connect({ token: 'bad' })
    expect(client.last('error')).toMatchObject({ id: 1, code: 'token_invalid' })
    expect(client.closedWith).toBe('token_invalid')
    expect(client.last('disconnect')).toMatchObject({ closeCode: 4101, reconnect: true })
  })

  it('refuses everything but ping and echo before connect, and stays open', () => {
    const client = open()
    client.say({ type: 'publish', id: 7, channel: 'open:a', data: 1 })
    expect(client.last('error')).toMatchObject({ id: 7, code: 'not_connected' })
    client.say({ type: 'ping', id: 8 })
    expect(client.last('pong')).toEqual({ type: 'pong', id: 8 })
    client.say({ type: 'echo', data: { a: 1 } })
    expect(client.last('echo')).toEqual({ type: 'echo', data: { a: 1 } })
    expect(client.isOpen).toBe(true)
  })

  it('refuses a second connect', async () => {
    const client = await connect()
    client.say({ type: 'connect', id: 2 })
    await turn()
    expect(client.last('error')).toMatchObject({ id: 2, code: 'already_connected' })
  })

  it('handles what arrives while the token is being checked afterwards, in order', async () => {
    const client = open()
    client.say({ type: 'connect', id: 1 })
    client.say({ type: 'subscribe', id: 2, channel: 'open:a' })
    client.say({ type: 'publish', id: 3, channel: 'open:a', data: 'x' })
    client.say({ type: 'ping', id: 4 })
    await turn()
    expect(client.received.map(({ type }) => type)).toEqual(['connected', 'subscribed', 'publication', 'result', 'pong'])
  })

  it('refuses more waiting messages than maxPendingRequests without losing those before', async () => {
    const client = open()
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
    const client = await connect({
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
    const client = await connect({ token: 'auto' })
    expect(client.last('subscribed').channel).toBe('open:auto')
  })

  it('closes after maxBadMessages, not before', () => {
    const client = open()
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

describe('channels', () => {
  it('encodes a publication once for all connections of a format', async () => {
    const other = memoryFormat('other')
    const clients = [await connect(), await connect(), open(other), open(other)]
    for (const client of clients.slice(2)) client.say({ type: 'connect' })
    await turn()
    for (const client of clients) await subscribe(client, 'open:a')
    engine.publish('open:a', { data: 1 })
    const [a, b, c, d] = clients.map((client) => client.frames.at(-1))
    expect(a).toBe(b)
    expect(c).toBe(d)
    expect(a).not.toBe(c)
  })

  it('delivers to exactly those who are subscribed, whoever leaves in between', async () => {
    const clients = await Promise.all([1, 2, 3, 4].map(() => connect()))
    for (const client of clients) await subscribe(client, 'open:a')
    clients[1]?.say({ type: 'unsubscribe', id: 9, channel: 'open:a' })
    expect(clients[1]?.last('unsubscribed')).toMatchObject({ id: 9, channel: 'open:a' })
    clients[0]?.cut()
    engine.publish('open:a', { data: 1 })
    expect(clients.map((client) => client.all('publication').length)).toEqual([0, 0, 1, 1])
  })

  it('delivers to a filter only what carries its tags', async () => {
    const client = await connect()
    client.say({ type: 'subscribe', channel: 'open:a', tags: { color: 'red' } })
    await turn()
    engine.publish('open:a', { data: 1, tags: { color: 'red', size: 'xl' } })
    engine.publish('open:a', { data: 2, tags: { color: 'blue' } })
    engine.publish('open:a', { data: 3 })
    expect(client.all('publication').map(({ data }) => data)).toEqual([1])
  })

  it('publishes with the sender, answers with the position, and takes a repeated key for the same publication', async () => {
    const client = await connect({ token: 'ann' })
    await subscribe(client, 'open:a')
    client.say({ type: 'publish', id: 2, channel: 'open:a', data: 'x', key: 'k' })
    client.say({ type: 'publish', id: 3, channel: 'open:a', data: 'x', key: 'k' })
    expect(client.all('publication')).toHaveLength(1)
    expect(client.last('publication').sender).toMatchObject({ user: 'ann' })
    expect(client.last('result')).toMatchObject({ id: 3, data: { duplicate: true, position: { offset: 1 } } })
  })

  it('refuses what the rule does not allow, and lets capabilities and channel tokens in', async () => {
    const ann = await connect({ token: 'ann' })
    ann.say({ type: 'publish', id: 1, channel: 'secret:x', data: 1 })
    expect(ann.last('error')).toMatchObject({ id: 1, code: 'permission_denied' })
    await subscribe(ann, 'inbox:bob')
    expect(ann.last('error')).toMatchObject({ channel: 'inbox:bob', code: 'permission_denied' })
    await subscribe(ann, 'inbox:ann')
    expect(ann.last('subscribed').channel).toBe('inbox:ann')
    ann.say({ type: 'subscribe', channel: 'secret:x', token: 'ann>secret:x' })
    await turn()
    expect(ann.last('subscribed').channel).toBe('secret:x')
    const admin = await connect({ token: 'admin' })
    admin.say({ type: 'publish', id: 2, channel: 'secret:x', data: 'hello' })
    expect(ann.last('publication').data).toBe('hello')
  })

  it('refuses more channels than maxChannelsPerSession and names that are none', async () => {
    const client = await connect()
    for (const channel of ['open:1', 'open:2', 'open:3', 'open:4', 'with space']) await subscribe(client, channel)
    expect(client.all('subscribed')).toHaveLength(3)
    expect(client.all('error').map(({ code }) => code)).toEqual(['too_many_channels', 'invalid_channel'])
  })

  it('tells join and leave to those who ask, and keeps presence until the session ends', async () => {
    const watcher = await connect({ token: 'ann' })
    watcher.say({ type: 'subscribe', channel: 'open:a', presence: true })
    await turn()
    const other = await connect({ token: 'bob' })
    await subscribe(other, 'open:a')
    expect(watcher.last('join').member.user).toBe('bob')
    other.cut()
    watcher.say({ type: 'presence', id: 3, channel: 'open:a' })
    expect(watcher.last('result').data).toMatchObject({ members: [{ user: 'ann' }, { user: 'bob' }] })
    watcher.say({ type: 'ping' })
    advance(20_000)
    watcher.say({ type: 'ping' })
    advance(20_000)
    watcher.say({ type: 'ping' })
    advance(21_000)
    expect(watcher.last('leave').member.user).toBe('bob')
    expect(await engine.presenceCount('open:a')).toEqual({ sessions: 1, users: 1 })
  })

  it('removes presence at once when a client leaves for good', async () => {
    const client = await connect({ token: 'bob' })
    await subscribe(client, 'open:a')
    client.say({ type: 'disconnect' })
    expect(await engine.presence('open:a')).toEqual([])
    expect(client.closedWith).toBe('closed')
    expect(engine.stats()).toMatchObject({ sessions: 0, connections: 0, subscriptions: 0, channels: 0 })
  })

  it('reads history, and refuses it where the rule keeps none', async () => {
    const client = await connect({ token: 'ann' })
    for (let n = 1; n <= 3; n++) engine.publish('open:a', { data: n })
    client.say({ type: 'history', id: 2, channel: 'open:a', limit: 2, reverse: true })
    expect(client.last('result').data).toMatchObject({ position: { offset: 3 }, publications: [{ data: 3 }, { data: 2 }] })
    client.say({ type: 'history', id: 3, channel: 'none:a' })
    expect(client.last('error')).toMatchObject({ id: 3, code: 'feature_disabled' })
  })

  it('calls rpc handlers, and hides what failed inside of them', async () => {
    rpc.add('sum', (data) => (data as number[]).reduce((a, b) => a + b))
    rpc.add('fail', () => {
      throw new Error('secret detail')
    })
    const client = await connect({ token: 'ann' })
    client.say({ type: 'rpc', id: 2, method: 'sum', data: [1, 2] })
    client.say({ type: 'rpc', id: 3, method: 'fail' })
    client.say({ type: 'rpc', id: 4, method: 'nothing' })
    await turn()
    expect(client.last('result')).toEqual({ type: 'result', id: 2, data: 3 })
    expect(client.all('error').map(({ id, code }) => [id, code])).toEqual([
      [3, 'internal_error'],
      [4, 'method_not_found'],
    ])
    expect(JSON.stringify(client.received)).not.toContain('secret detail')
  })
})

describe('heartbeats and ends', () => {
  it('ends a connection without any message after connectTimeoutMs', () => {
    const client = open()
    advance(9500)
    expect(client.isOpen).toBe(true)
    advance(1000)
    expect(client.closedWith).toBe('connect_timeout')
  })

  it('holds a client that pings to its heartbeat, and keeps its session', async () => {
    const client = await connect()
    client.say({ type: 'ping' })
    advance(29_500)
    expect(client.isOpen).toBe(true)
    advance(1000)
    expect(client.closedWith).toBe('heartbeat_timeout')
    expect(engine.stats()).toMatchObject({ sessions: 1, detachedSessions: 1 })
  })

  it('probes a client that never pings, and keeps it as long as it answers', async () => {
    const client = await connect()
    for (let n = 1; n <= 4; n++) {
      advance(26_000)
      expect(client.probes).toBe(n)
      client.peer.alive()
    }
    advance(31_000)
    expect(client.closedWith).toBe('heartbeat_timeout')
  })

  it('ends a connection when its token ends, and takes a refreshed one', async () => {
    const client = await connect({ token: `ann@${environment.now() + 12_000}` })
    client.say({ type: 'refresh', id: 2, token: `ann@${environment.now() + 20_000}` })
    await turn()
    expect(client.last('result').data).toEqual({ expiresAt: environment.now() + 20_000 })
    advance(13_000)
    expect(client.isOpen).toBe(true)
    client.say({ type: 'refresh', id: 3, token: 'bob' })
    await turn()
    expect(client.last('error')).toMatchObject({ id: 3, code: 'token_invalid' })
    advance(8000)
    expect(client.closedWith).toBe('token_expired')
  })

  it('ends a subscription when its channel token ends', async () => {
    const client = await connect({ token: 'ann' })
    client.say({ type: 'subscribe', channel: 'secret:x', token: 'ann>secret:x' })
    await turn()
    advance(21_000)
    expect(client.last('unsubscribed')).toMatchObject({ channel: 'secret:x', code: 'token_expired' })
  })

  it('disconnects and unsubscribes a user on all connections', async () => {
    const clients = [await connect({ token: 'ann' }), await connect({ token: 'ann' }), await connect({ token: 'bob' })]
    for (const client of clients) await subscribe(client, 'open:a')
    expect(engine.unsubscribeUser({ user: 'ann' }, 'open:a')).toBe(2)
    expect(clients[0]?.last('unsubscribed')).toMatchObject({ code: 'disconnected' })
    expect(await engine.subscribeUser({ user: 'ann' }, 'secret:x')).toBe(2)
    expect(clients[1]?.last('subscribed').channel).toBe('secret:x')
    expect(engine.disconnectUser({ user: 'ann' })).toBe(2)
    expect(clients.map(({ closedWith }) => closedWith)).toEqual(['disconnected', 'disconnected', undefined])
    expect(engine.stats().sessions).toBe(1)
  })
})

describe('resuming', () => {
  it('[S] gives the session back with its subscriptions, and what was missed', async () => {
    const first = await connect({ token: 'ann' })
    await subscribe(first, 'open:a')
    engine.publish('open:a', { data: 1 })
    first.cut()
    engine.publish('open:a', { data: 2 })
    engine.publish('open:a', { data: 3 })
    const { position } = first.last('subscribed')
    const second = await connect({
      resume: first.last('connected').resume,
      subscriptions: [{ channel: 'open:a', since: { epoch: position.epoch, offset: 1 } }],
    })
    expect(second.last('connected')).toMatchObject({ resumed: true, session: first.last('connected').session, user: 'ann' })
    expect(second.last('subscribed')).toMatchObject({ recovered: true, publications: [{ data: 2 }, { data: 3 }] })
    engine.publish('open:a', { data: 4 })
    expect(second.last('publication').data).toBe(4)
  })

  it('keeps a subscription that the client does not name, and says that it cannot know what is missing', async () => {
    const first = await connect({ token: 'ann' })
    await subscribe(first, 'open:a')
    first.cut()
    const second = await connect({ resume: first.last('connected').resume })
    expect(second.last('subscribed')).toMatchObject({ channel: 'open:a', recovered: false })
    engine.publish('open:a', { data: 1 })
    expect(second.all('publication')).toHaveLength(1)
  })

  it('says recovered: false when the history window was exceeded, the epoch is another, or nothing is kept', async () => {
    const client = await connect()
    for (let n = 1; n <= 4; n++) engine.publish('short:a', { data: n })
    for (let n = 1; n <= 4; n++) engine.publish('none:a', { data: n })
    const { epoch } = (await engine.history('short:a', {})).position
    const none = (await engine.history('none:a', {})).position
    await subscribe(client, 'short:a', { epoch, offset: 1 })
    expect(client.last('subscribed')).toMatchObject({ recovered: false })
    expect(client.last('subscribed').publications).toBeUndefined()
    await subscribe(client, 'short:a', { epoch, offset: 2 })
    expect(client.last('subscribed')).toMatchObject({ recovered: true, publications: [{ data: 3 }, { data: 4 }] })
    await subscribe(client, 'short:a', { epoch: 'other', offset: 4 })
    expect(client.last('subscribed').recovered).toBe(false)
    await subscribe(client, 'none:a', { epoch: none.epoch, offset: 3 })
    expect(client.last('subscribed').recovered).toBe(false)
    await subscribe(client, 'none:a', none)
    expect(client.last('subscribed').recovered).toBe(true)
  })

  it('closes the connection that a newer one replaces, and lets only the newer one live', async () => {
    const first = await connect({ token: 'ann' })
    await subscribe(first, 'open:a')
    const second = await connect({ resume: first.last('connected').resume })
    expect(first.closedWith).toBe('session_replaced')
    engine.publish('open:a', { data: 1 })
    expect(first.all('publication')).toHaveLength(0)
    expect(second.all('publication')).toHaveLength(1)
    expect(engine.stats()).toMatchObject({ sessions: 1, detachedSessions: 0, connections: 1 })
  })

  it('makes a new session when the TTL has ended, when the token is unknown, or when it belongs to another user', async () => {
    const first = await connect({ token: 'ann' })
    const { resume } = first.last('connected')
    const thief = await connect({ resume, token: 'bob' })
    expect(thief.last('connected')).toMatchObject({ resumed: false, user: 'bob' })
    first.cut()
    advance(61_000)
    expect((await connect({ resume, token: 'ann' })).last('connected').resumed).toBe(false)
    expect((await connect({ resume: 'guess', token: 'ann' })).last('connected').resumed).toBe(false)
  })

  it('counts the TTL from the last break', async () => {
    let client = await connect({ token: 'ann' })
    const { resume } = client.last('connected')
    for (let n = 0; n < 3; n++) {
      client.cut()
      advance(40_000)
      client = await connect({ resume })
      expect(client.last('connected').resumed).toBe(true)
    }
  })

  it('asks for a new token when the one of the session has ended', async () => {
    const first = await connect({ token: `ann@${environment.now() + 11_000}` })
    first.cut()
    advance(12_000)
    const { resume } = first.last('connected')
    expect((await connect({ resume })).closedWith).toBe('token_expired')
    expect((await connect({ resume, token: 'ann' })).last('connected').resumed).toBe(true)
  })

  it('leaves nothing behind after many rounds', async () => {
    for (let n = 0; n < 200; n++) {
      const client = await connect({ token: `user${n}` })
      await subscribe(client, 'open:a')
      if (n % 2) client.cut()
      else client.say({ type: 'disconnect' })
    }
    advance(61_000)
    expect(engine.stats()).toMatchObject({ sessions: 0, detachedSessions: 0, connections: 0, subscriptions: 0, channels: 0 })
    expect(await engine.presence('open:a')).toEqual([])
  })
})
