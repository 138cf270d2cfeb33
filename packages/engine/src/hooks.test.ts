import { FusewireError } from '@fusewire/protocol'
import { EngineHarness, FakeHooks, HeldCalls, plainAuthenticator, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryBroker } from './memory/memory-broker.ts'
import type { Authenticator, Identity } from './ports/authenticator.ts'

const CLIENT = { transport: 'websocket', remoteAddress: '127.0.0.1', name: 'app', version: '1.2' }

let hooks: FakeHooks
let held: HeldCalls
let harness: EngineHarness

const start = async (authenticator?: Authenticator): Promise<void> => {
  hooks = new FakeHooks()
  held = new HeldCalls()
  harness = await EngineHarness.start({ hooks: held.of(hooks, 'ask'), ...(authenticator && { authenticator }) })
}

beforeEach(() => start())

/** Has no keys: a token is for the application to judge. */
const keyless: Authenticator = {
  ...plainAuthenticator,
  authenticate: async (token): Promise<Identity> => ({
    capabilities: [],
    channels: [],
    needsUser: true,
    ...(token !== undefined && { uncheckedToken: token }),
  }),
}

describe('the connect hook', () => {
  it('is asked who comes, and may say otherwise', async () => {
    hooks.decisions.connect = () => ({
      decision: 'allow',
      user: 'ann',
      info: { name: 'Ann' },
      expiresAt: harness.environment.now() + 60_000,
      capabilities: [{ channels: ['secret:*'], allow: ['subscribe'] }],
      channels: ['open:a'],
    })
    const client = await harness.connect({ token: 'bob', name: 'app', version: '1.2' })
    expect(hooks.questions).toEqual([
      { event: 'connect', id: expect.any(String), time: harness.environment.now(), user: 'bob', ...CLIENT },
    ])
    expect(client.last('connected')).toMatchObject({ user: 'ann', expiresAt: harness.environment.now() + 60_000 })
    expect(client.last('subscribed')).toMatchObject({ channel: 'open:a' })
    await harness.subscribe(client, 'secret:x')
    expect(client.last('subscribed')).toMatchObject({ channel: 'secret:x' })
    expect(await harness.engine.presence('open:a')).toMatchObject([{ user: 'ann', info: { name: 'Ann' } }])
  })

  it('changes nothing that it does not name', async () => {
    hooks.decisions.connect = () => ({ decision: 'allow' })
    const client = await harness.connect({ token: 'auto' })
    expect(client.last('connected')).toMatchObject({ user: 'auto' })
    expect(client.all('subscribed')).toMatchObject([{ channel: 'open:auto' }, { channel: 'secret:auto' }])
  })

  it('refuses with connection_refused, which ends the connection, unless it names another code', async () => {
    hooks.decisions.connect = () => ({ decision: 'deny', message: 'not today' })
    const client = await harness.connect()
    expect(client.last('error')).toMatchObject({ id: 1, code: 'connection_refused', message: 'not today' })
    expect(client.last('disconnect')).toMatchObject({ code: 'connection_refused', closeCode: 4209, reconnect: false })
    hooks.decisions.connect = () => ({ decision: 'deny', code: 'token_revoked' })
    expect((await harness.connect()).last('disconnect')).toMatchObject({ closeCode: 4103, reconnect: true })
    hooks.decisions.connect = () => ({ decision: 'deny', code: 'overloaded' })
    const another = await harness.connect()
    expect(another.last('error')).toMatchObject({ code: 'overloaded', retryable: true })
    expect(another.isOpen).toBe(true)
    expect(harness.engine.stats().sessionsCreated).toBe(0)
  })

  it('is asked again when a session is resumed, and by which', async () => {
    hooks.decisions.connect = () => ({ decision: 'allow', user: 'ann' })
    const first = await harness.connect()
    const { session, resume } = first.last('connected')
    first.cut()
    const second = await harness.connect({ resume })
    expect(second.last('connected')).toMatchObject({ session, resumed: true })
    expect(hooks.questions[1]).toMatchObject({ event: 'connect', session, user: 'ann' })
    hooks.decisions.connect = () => ({ decision: 'deny' })
    expect((await harness.connect({ resume })).closedWith).toBe('connection_refused')
  })

  it('says who it is where the server has no keys, and is the only one to see the token', async () => {
    await start(keyless)
    hooks.decisions.connect = ({ token }) =>
      token === 'secret' ? { decision: 'allow', user: 'ann' } : { decision: 'deny', code: 'token_invalid' }
    expect((await harness.connect({ token: 'secret' })).last('connected')).toMatchObject({ user: 'ann' })
    expect((await harness.connect({ token: 'other' })).last('disconnect')).toMatchObject({ code: 'token_invalid' })
    hooks.decisions.connect = () => ({ decision: 'allow' })
    expect((await harness.connect({ token: 'secret' })).closedWith).toBe('token_required')
  })

  it('does not outrun a revocation of the user that it names, where that came before its answer', async () => {
    await start(keyless)
    hooks.decisions.connect = () => ({ decision: 'allow', user: 'ann' })
    held.holding = 'calls'
    const client = await harness.connect({ token: 'secret' })
    harness.environment.advance(100)
    await harness.engine.revoke({ user: 'ann' })
    harness.environment.advance(100)
    held.release()
    await turn()
    expect(client.all('connected')).toEqual([])
    expect(client.closedWith).toBe('token_revoked')
    held.holding = 'nothing'
    expect((await harness.connect({ token: 'secret' })).last('connected')).toMatchObject({ user: 'ann' })
  })

  it('has no effect when the connection is gone before it answers', async () => {
    hooks.decisions.connect = () => ({ decision: 'allow' })
    held.holding = 'calls'
    const client = await harness.connect()
    client.cut()
    held.release()
    await turn()
    expect(harness.engine.stats()).toMatchObject({ sessions: 0, sessionsCreated: 0 })
  })

  it('that cannot be asked leaves the connection to try again', async () => {
    hooks.decisions.connect = () => Promise.reject(new FusewireError('hook_unavailable'))
    const client = await harness.connect()
    expect(client.last('error')).toMatchObject({ code: 'hook_unavailable', retryable: true })
    hooks.decisions.connect = () => ({ decision: 'allow' })
    client.say({ type: 'connect', id: 2 })
    await turn()
    expect(client.last('connected')).toMatchObject({ id: 2 })
  })
})

describe('the refresh hook', () => {
  it('may change the end of the token and the info', async () => {
    const client = await harness.connect({ token: 'ann' })
    const expiresAt = harness.environment.now() + 30_000
    hooks.decisions.refresh = () => ({ decision: 'allow', expiresAt })
    client.say({ type: 'refresh', id: 2, token: `ann@${expiresAt + 99_000}` })
    await turn()
    expect(hooks.questions).toMatchObject([{ event: 'refresh', user: 'ann', expiresAt: expiresAt + 99_000 }])
    expect(client.last('result').data).toEqual({ expiresAt })
  })

  it('that says token_revoked ends the session', async () => {
    hooks.wanted.add('disconnect')
    const client = await harness.connect({ token: 'ann' })
    hooks.decisions.refresh = () => ({ decision: 'deny' })
    client.say({ type: 'refresh', id: 2, token: 'ann' })
    await turn()
    expect(client.closedWith).toBe('token_revoked')
    expect(hooks.of('disconnect')).toMatchObject([{ reason: 'token_revoked' }])
    expect((await harness.connect({ resume: client.last('connected').resume })).last('connected').resumed).toBe(false)
  })

  it('that says token_invalid leaves the session as it was', async () => {
    const client = await harness.connect({ token: 'ann' })
    hooks.decisions.refresh = () => ({ decision: 'deny', code: 'token_invalid' })
    client.say({ type: 'refresh', id: 2, token: 'ann' })
    await turn()
    expect(client.last('error')).toMatchObject({ id: 2, code: 'token_invalid' })
    expect(client.isOpen).toBe(true)
  })

  it('judges a token that the server has no keys for; without it such a token is refused', async () => {
    await start(keyless)
    hooks.decisions.connect = () => ({
      decision: 'allow',
      user: 'ann',
      capabilities: [{ channels: ['secret:*'], allow: ['subscribe'] }],
    })
    const client = await harness.connect({ token: 'one' })
    client.say({ type: 'refresh', id: 2, token: 'two' })
    await turn()
    expect(client.last('error')).toMatchObject({ id: 2, code: 'token_invalid' })
    const expiresAt = harness.environment.now() + 30_000
    hooks.decisions.refresh = () => ({ decision: 'allow', expiresAt })
    client.say({ type: 'refresh', id: 3, token: 'two' })
    await harness.subscribe(client, 'secret:x')
    expect(hooks.questions.at(-1)).toMatchObject({ event: 'refresh', token: 'two' })
    expect(client.last('result').data).toEqual({ expiresAt })
    expect(client.last('subscribed').channel).toBe('secret:x')
  })

  it('is asked about the token of a subscription too', async () => {
    hooks.decisions.refresh = ({ channel }) =>
      channel === 'secret:a' ? { decision: 'allow', expiresAt: harness.environment.now() + 500 } : { decision: 'deny' }
    const client = await harness.connect({ token: 'ann' })
    client.say({ type: 'subscribe', channel: 'secret:a', token: 'ann>secret:a' })
    await turn()
    client.say({ type: 'refresh', id: 2, channel: 'secret:a', token: `ann>secret:a@${harness.environment.now() + 90_000}` })
    await turn()
    expect(client.last('result').data).toEqual({ expiresAt: harness.environment.now() + 500 })
    harness.advance(750)
    expect(client.last('unsubscribed')).toMatchObject({ channel: 'secret:a', code: 'token_expired' })
  })

  it('decides nothing for a connection that has been replaced meanwhile', async () => {
    hooks.decisions.refresh = () => ({ decision: 'allow', expiresAt: harness.environment.now() + 500 })
    const first = await harness.connect({ token: 'ann' })
    first.say({ type: 'subscribe', channel: 'secret:a', token: 'ann>secret:a' })
    await turn()
    held.holding = 'calls'
    first.say({ type: 'refresh', id: 2, channel: 'secret:a', token: 'ann>secret:a' })
    await turn()
    const second = await harness.connect({ resume: first.last('connected').resume })
    held.release()
    await turn()
    harness.advance(1000)
    expect(second.all('unsubscribed')).toEqual([])
  })

  it('does not outrun a revocation of the newer token, or the end of the subscription', async () => {
    hooks.decisions.refresh = () => ({ decision: 'allow' })
    const client = await harness.connect({ token: 'ann' })
    client.say({ type: 'subscribe', channel: 'secret:a', token: 'ann>secret:a' })
    await turn()
    held.holding = 'calls'
    const refreshWhile = async (token: string, happens: () => unknown): Promise<void> => {
      client.say({ type: 'refresh', id: 2, channel: 'secret:a', token })
      await turn()
      await happens()
      held.release()
      await turn()
    }
    await refreshWhile('ann>secret:a#t2', () => harness.engine.revoke({ token: 't2' }))
    expect(client.last('error')).toMatchObject({ id: 2, code: 'token_revoked' })
    expect(client.all('unsubscribed')).toEqual([])
    await refreshWhile('ann>secret:a', () => harness.engine.unsubscribeUser({ user: 'ann' }, 'secret:a'))
    expect(client.last('error')).toMatchObject({ id: 2, code: 'not_subscribed' })
    expect(client.all('result')).toEqual([])
  })
})

describe('the subscribe hook', () => {
  it('narrows what the rules allow, and may give info and an end', async () => {
    hooks.decisions.subscribe = ({ channel }) =>
      channel === 'open:a'
        ? { decision: 'allow', info: 'guest', expiresAt: harness.environment.now() + 500 }
        : { decision: 'deny', message: 'members only' }
    const client = await harness.connect({ token: 'ann' })
    await harness.subscribe(client, 'open:a')
    await harness.subscribe(client, 'open:b')
    await harness.subscribe(client, 'secret:x')
    expect(client.last('subscribed').expiresAt).toBe(harness.environment.now() + 500)
    expect(await harness.engine.presence('open:a')).toMatchObject([{ info: 'guest' }])
    expect(client.all('error')).toMatchObject([
      { channel: 'open:b', code: 'permission_denied', message: 'members only' },
      { channel: 'secret:x', code: 'permission_denied' },
    ])
    expect(hooks.questions.map((question) => 'channel' in question && question.channel)).toEqual(['open:a', 'open:b'])
    harness.advance(750)
    expect(client.last('unsubscribed')).toMatchObject({ channel: 'open:a', code: 'token_expired' })
  })

  it('keeps whom it has not let in from the history and the presence of the channel, unless a capability names them', async () => {
    hooks.decisions.subscribe = ({ channel }) => ({ decision: channel === 'open:a' ? 'allow' : 'deny' })
    const client = await harness.connect({ token: 'ann' })
    harness.engine.publish('open:b', { data: 'not for ann' })
    await harness.subscribe(client, 'open:a')
    for (const channel of ['open:a', 'open:b']) {
      client.say({ type: 'history', id: 2, channel })
      client.say({ type: 'presence', id: 3, channel })
    }
    await turn()
    expect(client.all('result').map(({ id }) => id)).toEqual([2, 3])
    expect(client.all('error')).toMatchObject([
      { id: 2, channel: 'open:b', code: 'permission_denied' },
      { id: 3, channel: 'open:b', code: 'permission_denied' },
    ])
    hooks.decisions.connect = () => ({
      decision: 'allow',
      capabilities: [{ channels: ['open:b'], allow: ['history', 'presence'] }],
    })
    const auditor = await harness.connect({ token: 'bob' })
    auditor.say({ type: 'history', id: 2, channel: 'open:b' })
    auditor.say({ type: 'presence', id: 3, channel: 'open:b' })
    await turn()
    expect(auditor.all('result')).toHaveLength(2)
  })

  it('is not asked about what is subscribed already, nor about what the application subscribes', async () => {
    hooks.decisions.subscribe = () => ({ decision: 'allow' })
    const client = await harness.connect({ token: 'ann' })
    await harness.subscribe(client, 'open:a')
    await harness.subscribe(client, 'open:a')
    client.cut()
    await harness.connect({ resume: client.last('connected').resume, subscriptions: [{ channel: 'open:a' }] })
    await harness.engine.subscribeUser({ user: 'ann' }, 'open:b')
    expect(hooks.questions).toHaveLength(1)
  })

  it('has no effect when the connection is gone before it answers', async () => {
    hooks.decisions.subscribe = () => ({ decision: 'allow' })
    held.holding = 'calls'
    const client = await harness.connect({ token: 'ann' })
    await harness.subscribe(client, 'open:a')
    client.cut()
    held.release()
    await turn()
    expect(harness.engine.stats().subscriptions).toBe(0)
  })
})

describe('the publish hook', () => {
  it('sees what is published, and may replace it', async () => {
    hooks.decisions.publish = () => ({ decision: 'allow', data: 'seen', tags: { by: 'hook' } })
    const client = await harness.connect({ token: 'ann' })
    await harness.subscribe(client, 'open:a')
    client.say({ type: 'publish', id: 2, channel: 'open:a', data: 'raw', tags: { lang: 'cs' }, key: 'k' })
    await turn()
    expect(hooks.questions).toMatchObject([
      { event: 'publish', user: 'ann', channel: 'open:a', data: 'raw', tags: { lang: 'cs' }, key: 'k' },
    ])
    expect(client.last('publication')).toMatchObject({ offset: 1, data: 'seen', tags: { by: 'hook' }, sender: { user: 'ann' } })
    expect(client.last('result')).toMatchObject({ id: 2, data: { position: { offset: 1 } } })
  })

  it('is told who publishes by the server, whatever the client says besides', async () => {
    hooks.decisions.publish = () => ({ decision: 'allow' })
    const client = await harness.connect({ token: 'ann' })
    const lies = { user: 'admin', session: 's', info: 1, event: 'rpc', transport: 'tcp', time: 0 }
    client.say({ type: 'publish', channel: 'open:a', data: 1, ...lies })
    await turn()
    expect(hooks.questions).toMatchObject([{ event: 'publish', user: 'ann', session: client.last('connected').session }])
    expect(hooks.questions[0]).not.toHaveProperty('info')
  })

  it('may refuse, and may take it without publishing', async () => {
    hooks.decisions.publish = ({ data }) => (data === 'bad' ? { decision: 'deny', code: 'invalid_field' } : { decision: 'skip' })
    const client = await harness.connect({ token: 'ann' })
    await harness.subscribe(client, 'open:a')
    harness.engine.publish('open:a', { data: 0 })
    client.say({ type: 'publish', id: 2, channel: 'open:a', data: 'bad' })
    client.say({ type: 'publish', id: 3, channel: 'open:a', data: 'kept' })
    client.say({ type: 'publish', channel: 'open:a', data: 'kept' })
    await turn()
    expect(client.last('error')).toMatchObject({ id: 2, code: 'invalid_field', channel: 'open:a' })
    expect(client.all('result')).toMatchObject([{ id: 3, data: { position: { offset: 1 } } }])
    expect(client.all('publication')).toHaveLength(1)
  })

  it('keeps the order of one client in one channel, and does not hold up other channels', async () => {
    hooks.decisions.publish = () => ({ decision: 'allow' })
    const client = await harness.connect({ token: 'ann' })
    await harness.subscribe(client, 'open:a')
    await harness.subscribe(client, 'open:b')
    held.holding = 'calls'
    for (const data of [1, 2]) client.say({ type: 'publish', channel: 'open:a', data })
    client.say({ type: 'publish', channel: 'open:b', data: 3 })
    await turn()
    expect(held.size).toBe(2)
    held.holding = 'nothing'
    held.release()
    await turn()
    expect(client.all('publication').map(({ channel, data }) => [channel, data])).toEqual([
      ['open:a', 1],
      ['open:b', 3],
      ['open:a', 2],
    ])
  })

  it('has no effect when the session has ended or changed its connection before it answers', async () => {
    hooks.decisions.publish = () => ({ decision: 'allow' })
    const client = await harness.connect({ token: 'ann' })
    held.holding = 'calls'
    client.say({ type: 'publish', channel: 'open:a', data: 1 })
    await turn()
    client.cut()
    await harness.connect({ resume: client.last('connected').resume })
    held.release()
    await turn()
    expect(harness.engine.stats().publications).toBe(0)
  })

  it('is not asked about what the application publishes; without one nothing waits', async () => {
    hooks.decisions.publish = () => ({ decision: 'deny' })
    expect(harness.engine.publish('open:a', { data: 1 })).toMatchObject({ position: { offset: 1 } })
    delete hooks.decisions.publish
    const client = await harness.connect({ token: 'ann' })
    client.say({ type: 'publish', id: 2, channel: 'open:a', data: 2 })
    expect(client.last('result')).toMatchObject({ id: 2 })
  })
})

describe('the rpc hook', () => {
  it('is asked by one session so much at a time, and not for a connection that has gone before its turn', async () => {
    harness = await EngineHarness.start({ hooks: held.of(hooks, 'ask'), limits: { hookMaxConcurrentPerSession: 1 } })
    hooks.decisions.rpc = ({ method }) => ({ decision: 'allow', data: method })
    held.holding = 'calls'
    const [greedy, modest] = [await harness.connect({ token: 'ann' }), await harness.connect({ token: 'bob' })]
    for (const id of [2, 3, 4]) greedy.say({ type: 'rpc', id, method: 'm' })
    modest.say({ type: 'rpc', id: 2, method: 'm' })
    await turn()
    expect(held.size).toBe(2)
    held.release()
    await turn()
    expect([greedy, modest].map((client) => client.all('result').length)).toEqual([1, 1])
    expect(held.size).toBe(1)
    greedy.cut()
    held.release()
    await turn()
    expect(hooks.questions).toHaveLength(3)
  })

  it('answers methods that the program does not have', async () => {
    hooks.decisions.rpc = ({ method, data }) =>
      method === 'sum' ? { decision: 'allow', data: [method, data] } : { decision: 'deny', code: 'method_not_found' }
    harness.rpc.add('own', () => 'own')
    const client = await harness.connect({ token: 'ann' })
    client.say({ type: 'rpc', id: 2, method: 'sum', data: [1, 2] })
    client.say({ type: 'rpc', id: 3, method: 'none' })
    client.say({ type: 'rpc', id: 4, method: 'own' })
    await turn()
    expect(client.all('result')).toEqual(
      expect.arrayContaining([
        { type: 'result', id: 2, data: ['sum', [1, 2]] },
        { type: 'result', id: 4, data: 'own' },
      ]),
    )
    expect(client.last('error')).toMatchObject({ id: 3, code: 'method_not_found' })
    expect(hooks.questions).toHaveLength(2)
  })
})

describe('notices', () => {
  beforeEach(() => {
    for (const event of ['disconnect', 'unsubscribe', 'channel_occupied', 'channel_vacated'] as const) hooks.wanted.add(event)
  })

  it('tell of the first and the last subscription of a channel, and of every end between', async () => {
    const ann = await harness.connect({ token: 'ann', name: 'app', version: '1.2' })
    const bob = await harness.connect({ token: 'bob' })
    await harness.subscribe(ann, 'open:a')
    await harness.subscribe(bob, 'open:a')
    ann.say({ type: 'unsubscribe', channel: 'open:a' })
    bob.say({ type: 'disconnect' })
    const { session } = ann.last('connected')
    expect(hooks.notices).toMatchObject([
      { event: 'channel_occupied', channel: 'open:a' },
      { event: 'unsubscribe', channel: 'open:a', session, user: 'ann', reason: 'unsubscribed', ...CLIENT },
      { event: 'unsubscribe', channel: 'open:a', user: 'bob', reason: 'session_ended' },
      { event: 'channel_vacated', channel: 'open:a' },
      { event: 'disconnect', user: 'bob', reason: 'closed' },
    ])
    expect(new Set(hooks.notices.map(({ id }) => id)).size).toBe(5)
  })

  it('say nothing of a lost connection until its session has expired', async () => {
    const client = await harness.connect({ token: 'ann' })
    client.cut()
    expect(hooks.notices).toEqual([])
    harness.advance(61_000)
    expect(hooks.notices).toMatchObject([{ event: 'disconnect', user: 'ann', reason: 'expired' }])
  })

  it('say why the server has ended a session or a subscription', async () => {
    const client = await harness.connect({ token: 'ann' })
    await harness.subscribe(client, 'open:a')
    harness.engine.unsubscribeUser({ user: 'ann' }, 'open:a')
    harness.engine.disconnectUser({ user: 'ann' })
    await harness.connect({ token: 'bob' })
    await harness.engine.close()
    expect(hooks.of('unsubscribe')).toMatchObject([{ reason: 'disconnected' }])
    expect(hooks.of('disconnect')).toMatchObject([
      { user: 'ann', reason: 'disconnected' },
      { user: 'bob', reason: 'server_draining' },
    ])
  })

  it('say of a subscription that failed no more than that its channel was occupied for a moment', async () => {
    const reads = new HeldCalls()
    harness = await EngineHarness.start({ hooks, broker: (environment) => reads.of(new MemoryBroker(environment), 'history') })
    const client = await harness.connect({ token: 'ann' })
    reads.holding = 'calls'
    await harness.subscribe(client, 'open:a')
    reads.refuse(new FusewireError('broker_unavailable'))
    await turn()
    expect(hooks.notices).toMatchObject([
      { event: 'channel_occupied', channel: 'open:a' },
      { event: 'channel_vacated', channel: 'open:a' },
    ])
  })
})
