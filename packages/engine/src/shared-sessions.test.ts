import { FusewireError } from '@fusewire/protocol'
import { EngineCluster, HeldCalls, type MemoryConnection, type NodeLine, PresenceWatcher, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import type { PresenceStore } from './ports/presence-store.ts'

const TTL_MS = 60_000

let cluster: EngineCluster
beforeEach(async () => {
  cluster = await EngineCluster.start({ nodes: 3 })
  cluster.hooks.wanted.add('disconnect').add('unsubscribe')
})

const engine = (index: number) => cluster.node(index).harness.engine
const stats = (index: number) => engine(index).stats()

/** A client of the first node, subscribed, of whom the store knows. */
const settled = async (channel = 'open:a', token: string | undefined = 'ann'): Promise<MemoryConnection> => {
  const client = await cluster.connect(0, { ...(token !== undefined && { token }), subscriptions: [{ channel, presence: true }] })
  await cluster.advance(500)
  return client
}

/** Time passes, and these clients send their heartbeats. */
const stay = async (ms: number, ...clients: readonly MemoryConnection[]): Promise<void> => {
  for (let passed = 0; passed < ms; passed += 10_000) {
    for (const client of clients) client.say({ type: 'ping' })
    await cluster.advance(Math.min(10_000, ms - passed))
  }
}

const resume = (client: MemoryConnection) => ({ resume: client.last('connected').resume })

describe('a session on several nodes', () => {
  it('[S3] is resumed on another node, with its subscriptions and everything that was missed', async () => {
    const first = await settled()
    const { position } = first.last('subscribed')
    cluster.cut(0, first)
    engine(2).publish('open:a', { data: 'missed' })
    const second = await cluster.connect(1, { ...resume(first), subscriptions: [{ channel: 'open:a', since: position }] })
    expect(second.last('connected')).toMatchObject({ resumed: true, session: first.last('connected').session, user: 'ann' })
    expect(second.last('subscribed')).toMatchObject({ recovered: true, publications: [{ data: 'missed' }] })
    engine(2).publish('open:a', { data: 'live' })
    expect(second.last('publication').data).toBe('live')
    await cluster.advance(1000)
    expect([stats(0).sessions, stats(1).sessions]).toEqual([0, 1])
    expect(stats(0).subscriptions).toBe(0)
    expect([stats(0).sessionsLetGo, stats(1).sessionsTaken, stats(1).sessionsResumed]).toEqual([1, 1, 1])
  })

  it('keeps subscriptions that its client does not name, with their filter', async () => {
    const first = await cluster.connect(0, { subscriptions: [{ channel: 'open:a', tags: { tag: 'x' } }] })
    await cluster.advance(500)
    const second = await cluster.connect(1, resume(first))
    expect(second.last('subscribed')).toMatchObject({ channel: 'open:a', recovered: false })
    engine(0).publish('open:a', { data: 1, tags: { tag: 'y' } })
    engine(0).publish('open:a', { data: 2, tags: { tag: 'x' } })
    expect(second.all('publication').map(({ data }) => data)).toEqual([2])
  })

  it('[L20] tells the connection that still holds it on the old node', async () => {
    const first = await settled()
    const second = await cluster.connect(1, resume(first))
    await turn()
    expect(first.closedWith).toBe('session_replaced')
    expect(second.isOpen).toBe(true)
    await cluster.advance(TTL_MS)
    expect(cluster.hooks.notices).toEqual([])
  })

  it('does not flicker in presence when it moves', async () => {
    const watcher = await PresenceWatcher.open(cluster.node(2).harness, ['open:a'])
    const first = await settled()
    const { session } = first.last('connected')
    expect(watcher.present('open:a')).toContain(session)
    const second = await cluster.connect(1, resume(first))
    const third = await cluster.connect(0, resume(second))
    await cluster.advance(1000)
    expect(watcher.present('open:a')).toContain(session)
    expect(cluster.presence.node().list('open:a')).toHaveLength(2)
    cluster.say(0, third, { type: 'disconnect' })
    await turn()
    expect(watcher.present('open:a')).not.toContain(session)
    expect(cluster.presence.node().list('open:a')).toHaveLength(1)
  })

  it('comes back to its node though another had it meanwhile', async () => {
    const first = await settled()
    const second = await cluster.connect(1, resume(first))
    const third = await cluster.connect(0, resume(second))
    expect(third.last('connected').resumed).toBe(true)
    await cluster.advance(1000)
    expect([third.isOpen, second.closedWith]).toEqual([true, 'session_replaced'])
    expect([stats(0).sessions, stats(1).sessions]).toEqual([1, 0])
  })

  it('belongs to the last of two connections that come at once, on one node and on two', async () => {
    for (const nodes of [
      [1, 1],
      [1, 2],
    ] as const) {
      const first = await settled()
      cluster.cut(0, first)
      const both = nodes.map((index) => {
        const connection = cluster.open(index)
        cluster.say(index, connection, { type: 'connect', ...resume(first) })
        return connection
      })
      await cluster.advance(1000)
      expect(both.map((client) => client.last('connected').resumed)).toEqual([true, true])
      const [open, closed] = [both.filter(({ isOpen }) => isOpen), both.filter(({ isOpen }) => !isOpen)]
      expect([open.length, closed.map(({ closedWith }) => closedWith)]).toEqual([1, ['session_replaced']])
      expect(cluster.nodes.map((_, index) => stats(index).sessions).reduce((sum, count) => sum + count)).toBe(1)
      for (const client of open) client.say({ type: 'disconnect' })
      await cluster.advance(500)
    }
  })

  it('is given to nobody who has not its whole secret, or is somebody else', async () => {
    const first = await settled()
    const { session } = first.last('connected')
    const guess = await cluster.connect(1, { resume: `${session}.guess`, token: 'ann' })
    expect(guess.last('connected').resumed).toBe(false)
    const thief = await cluster.connect(1, { ...resume(first), token: 'bob' })
    expect(thief.last('connected')).toMatchObject({ resumed: false, user: 'bob' })
    const refused = await cluster.connect(1, { ...resume(first), token: 'bad' })
    expect(refused.closedWith).toBe('token_invalid')
    for (const odd of ['', '.', 'x', '..', `${session}`]) {
      const client = await cluster.connect(1, { resume: odd, token: 'ann' })
      expect(client.last('connected').resumed).toBe(false)
    }
    await cluster.advance(1000)
    expect(first.isOpen).toBe(true)
  })

  it('vouches for its client until its token ends, on every node', async () => {
    const first = await cluster.connect(0, { token: 'ann@1010000' })
    await cluster.advance(500)
    expect((await cluster.connect(1, resume(first))).last('connected')).toMatchObject({ resumed: true, user: 'ann' })
    await cluster.advance(10_000)
    expect((await cluster.connect(2, resume(first))).closedWith).toBe('token_expired')
    expect((await cluster.connect(2, { ...resume(first), token: 'ann' })).last('connected').resumed).toBe(true)
  })

  it('is put before the application with its id, and is not taken where that refuses', async () => {
    const first = await settled()
    let decision: 'allow' | 'deny' = 'deny'
    cluster.hooks.decisions.connect = () => ({ decision })
    const refused = await cluster.connect(1, resume(first))
    expect(refused.closedWith).toBe('connection_refused')
    expect(cluster.hooks.questions.at(-1)).toMatchObject({
      event: 'connect',
      session: first.last('connected').session,
      user: 'ann',
    })
    await cluster.advance(1000)
    expect(first.isOpen).toBe(true)
    decision = 'allow'
    expect((await cluster.connect(1, resume(first))).last('connected').resumed).toBe(true)
  })

  it('vouches for nobody once it has ended, also while it is being taken over', async () => {
    const held = new HeldCalls()
    cluster = await EngineCluster.start({ through: { sessions: (store) => held.of(store, 'take') } })
    cluster.hooks.decisions.connect = ({ user }) => ({ decision: user === undefined ? 'deny' : 'allow', code: 'token_required' })
    const first = await settled()
    held.holding = 'calls'
    const second = await cluster.connect(1, resume(first))
    expect(held.size).toBe(1)
    engine(0).disconnectUser({ user: 'ann' })
    await turn()
    held.holding = 'nothing'
    held.release()
    await turn()
    expect(second.closedWith).toBe('token_required')
  })

  it('carries the end of a channel token along', async () => {
    const first = await cluster.connect(0, { token: 'ann' })
    first.say({ type: 'subscribe', channel: 'secret:x', token: 'ann>secret:x@1020000#t1' })
    await cluster.advance(500)
    const second = await cluster.connect(1, resume(first))
    expect(second.last('subscribed')).toMatchObject({ channel: 'secret:x', expiresAt: 1_020_000 })
    await cluster.advance(20_000)
    expect(second.last('unsubscribed')).toMatchObject({ channel: 'secret:x', code: 'token_expired' })
  })

  it('does not bring along a channel whose token has been revoked meanwhile', async () => {
    const subscriptions = ['t1', 't2'].map((id) => ({ channel: `secret:${id}`, token: `ann>secret:${id}#${id}` }))
    const first = await cluster.connect(0, { token: 'ann', subscriptions })
    await cluster.advance(500)
    expect(first.all('subscribed')).toHaveLength(2)
    cluster.kill(0)
    await engine(1).revoke({ token: 't1' })
    const second = await cluster.connect(1, resume(first))
    expect(second.last('connected').resumed).toBe(true)
    expect(second.all('subscribed').map(({ channel }) => channel)).toEqual(['secret:t2'])
    expect(stats(1).subscriptions).toBe(1)
  })

  it('is ended by a revocation wherever it is, and cannot be resumed', async () => {
    const first = await cluster.connect(0, { token: 'ann#t1' })
    await cluster.advance(500)
    await engine(1).revoke({ token: 't1' })
    const second = await cluster.connect(1, resume(first))
    expect(second.last('connected').resumed).toBe(false)
    await engine(0).revoke({ token: 't1' })
    expect(first.closedWith).toBe('token_revoked')
    await cluster.advance(500)
    expect((await cluster.connect(2, { ...resume(first), token: 'ann' })).last('connected').resumed).toBe(false)
  })
})

describe('the end of a session on several nodes', () => {
  const ends = () => cluster.hooks.of('disconnect').map(({ session, reason }) => ({ session, reason }))

  it('[L21] comes when its node has died and nobody has come for its whole TTL, once, with presence and notices', async () => {
    const watcher = await PresenceWatcher.open(cluster.node(2).harness, ['open:a'])
    const client = await settled()
    const { session } = client.last('connected')
    cluster.kill(0)
    for (let passed = 0; passed < TTL_MS - 1000; passed += 1000) {
      watcher.ping()
      await cluster.advance(1000)
    }
    expect(ends()).toEqual([])
    expect(watcher.present('open:a')).toContain(session)
    for (let passed = 0; passed < 30_000; passed += 1000) {
      watcher.ping()
      await cluster.advance(1000)
    }
    expect(ends()).toEqual([{ session, reason: 'expired' }])
    expect(cluster.hooks.of('unsubscribe')).toMatchObject([{ session, channel: 'open:a', reason: 'session_ended', user: 'ann' }])
    expect(watcher.present('open:a')).not.toContain(session)
    expect(stats(1).sessionsSwept + stats(2).sessionsSwept).toBe(1)
    expect(stats(1).sessionsExpired + stats(2).sessionsExpired).toBe(1)
    expect((await cluster.connect(1, { ...resume(client), token: 'ann' })).last('connected').resumed).toBe(false)
  })

  it('is told with ids that are the same when it is told again, and that any header can carry', async () => {
    await settled('open:ä€')
    cluster.kill(0)
    // It tells of the end, and dies before the store has heard of it.
    cluster.hooks.tell = function (notice) {
      this.notices.push(notice)
      if (this.of('disconnect').length === 1) for (const index of [1]) cluster.node(index).line.become('dead')
    }
    cluster.node(2).line.become('away')
    await cluster.advance(100_000)
    cluster.node(2).line.become('fine')
    await cluster.advance(120_000)
    const [one, two, ...others] = cluster.hooks.of('disconnect').map(({ id }) => id)
    expect([one, others]).toEqual([two, []])
    const ids = cluster.hooks.of('unsubscribe').map(({ id }) => id)
    expect(ids[0]).toMatch(/^[!-~]+$/)
    expect([...new Set(ids)]).toHaveLength(1)
  })

  it('is told once, though the store could not be told of it at first', async () => {
    const removals = new HeldCalls()
    cluster = await EngineCluster.start({ through: { sessions: (store) => removals.of(store, 'remove') } })
    cluster.hooks.wanted.add('disconnect')
    await settled()
    cluster.kill(0)
    removals.holding = 'calls'
    for (let passed = 0; passed < 2 * TTL_MS; passed += 1000) {
      await cluster.advance(1000)
      removals.refuse(new FusewireError('broker_unavailable'))
    }
    expect(ends()).toHaveLength(1)
    expect([cluster.sessions.size, stats(1).sessionsSwept]).toEqual([1, 0])
    removals.holding = 'nothing'
    await cluster.advance(TTL_MS)
    expect(ends()).toHaveLength(1)
    expect([cluster.sessions.size, stats(1).sessionsSwept]).toEqual([0, 1])
  })

  it('tells of it once when the client leaves, and nothing when it moves', async () => {
    const first = await settled()
    const second = await cluster.connect(1, resume(first))
    await cluster.advance(1000)
    expect(ends()).toEqual([])
    cluster.say(1, second, { type: 'disconnect' })
    await cluster.advance(2 * TTL_MS)
    expect(ends()).toEqual([{ session: first.last('connected').session, reason: 'closed' }])
    expect(cluster.presence.node().list('open:a')).toEqual([])
    expect(cluster.sessions.size).toBe(0)
  })

  it('comes with its TTL on its own node', async () => {
    const client = await settled()
    cluster.cut(0, client)
    await cluster.advance(TTL_MS + 1000)
    expect(ends()).toEqual([{ session: client.last('connected').session, reason: 'expired' }])
    expect(stats(0)).toMatchObject({ sessionsExpired: 1, sessionsSwept: 0 })
    expect(cluster.sessions.size).toBe(0)
  })

  it('does not come as long as a node refreshes it, however long that is', async () => {
    const client = await settled()
    await stay(10 * TTL_MS, client)
    expect(client.isOpen).toBe(true)
    expect(ends()).toEqual([])
    expect(cluster.presence.node().list('open:a')).toHaveLength(1)
  })

  it('comes for a session that ends as soon as it has begun', async () => {
    const client = await cluster.connect(0, { token: 'ann', subscriptions: [{ channel: 'open:a' }] })
    client.say({ type: 'disconnect' })
    await turn()
    expect(ends()).toHaveLength(1)
    expect(cluster.presence.node().list('open:a')).toEqual([])
  })
})

describe('sessions that change without end', () => {
  it('do not keep the others of their node from being refreshed, which would end for those of other nodes', async () => {
    let change = (): void => {}
    cluster = await EngineCluster.start({
      through: {
        sessions: (store) => ({
          ...store,
          put: async (records, ttlMs) => {
            await turn()
            change()
            return store.put(records, ttlMs)
          },
        }),
      },
    })
    cluster.hooks.wanted.add('disconnect')
    const busy = await cluster.connect(0)
    const idle = await cluster.connect(0)
    const { session } = busy.last('connected')
    change = () => engine(0).refreshUser({ session })
    change()
    await stay(3 * TTL_MS, busy, idle)
    change = () => {}
    expect(cluster.hooks.notices).toEqual([])
    expect(cluster.sessions.size).toBe(2)
  })
})

describe('a node that leaves', () => {
  it('[L22] leaves its sessions to the others, without anybody noticing', async () => {
    const watcher = await PresenceWatcher.open(cluster.node(2).harness, ['open:a'])
    const client = await settled()
    await cluster.leave(0)
    expect(client.closedWith).toBe('server_draining')
    const again = await cluster.connect(1, resume(client))
    expect(again.last('connected').resumed).toBe(true)
    await cluster.advance(10_000)
    expect(watcher.present('open:a')).toContain(client.last('connected').session)
    expect(cluster.hooks.notices).toEqual([])
  })

  it('tells the store at the last moment what it has not yet', async () => {
    const client = await cluster.connect(0, { token: 'ann', subscriptions: [{ channel: 'open:a' }] })
    await cluster.leave(0)
    const again = await cluster.connect(1, resume(client))
    expect(again.last('connected').resumed).toBe(true)
    expect(again.last('subscribed').channel).toBe('open:a')
  })
})

describe('a node that stood still', () => {
  it('[L23] lets go what others have taken or ended before it serves what its clients have said', async () => {
    const moved = await settled()
    const waiting = await settled('open:b', 'bob')
    cluster.stop(0)
    const elsewhere = await cluster.connect(1, resume(moved))
    await stay(3 * TTL_MS, elsewhere)
    expect(cluster.hooks.of('disconnect')).toHaveLength(1)
    cluster.say(0, moved, { type: 'publish', id: 7, channel: 'open:a', data: 'late' })
    cluster.say(0, waiting, { type: 'publish', id: 8, channel: 'open:b', data: 'late' })
    cluster.wake(0)
    await turn()
    expect(moved.closedWith).toBe('session_replaced')
    expect(waiting.last('disconnect')).toMatchObject({ code: 'heartbeat_timeout', reconnect: true })
    expect(await engine(1).history('open:a', {})).toMatchObject({ publications: [] })
    expect(await engine(1).history('open:b', {})).toMatchObject({ publications: [] })
    await cluster.advance(1000)
    expect(cluster.hooks.of('disconnect')).toHaveLength(1)
    expect(cluster.presence.node().list('open:b')).toEqual([])
  })

  it('serves those who are still its own', async () => {
    const client = await settled()
    cluster.stop(0)
    await cluster.advance(20_000)
    cluster.say(0, client, { type: 'publish', id: 7, channel: 'open:a', data: 'late' })
    cluster.wake(0)
    await turn()
    expect(client.last('result').id).toBe(7)
    expect(client.isOpen).toBe(true)
  })
})

describe('a store of sessions that is away', () => {
  it('[S15] refuses to resume from elsewhere, so that the client may try again, and keeps everybody else', async () => {
    const first = await settled()
    cluster.node(1).line.become('away')
    const again = cluster.open(1)
    cluster.say(1, again, { type: 'connect', id: 4, ...resume(first) })
    await turn()
    expect(again.last('error')).toMatchObject({ id: 4, code: 'broker_unavailable', retryable: true })
    cluster.node(1).line.become('fine')
    cluster.say(1, again, { type: 'connect', id: 5, ...resume(first) })
    await turn()
    expect(again.last('connected')).toMatchObject({ id: 5, resumed: true })
  })

  it('[L24] disconnects nobody, also when it comes back empty', async () => {
    const client = await settled()
    for (const { line } of cluster.nodes) line.become('away')
    await stay(3 * TTL_MS, client)
    cluster.sessions.forget()
    for (const { line } of cluster.nodes) line.become('fine')
    await stay(TTL_MS, client)
    expect(client.isOpen).toBe(true)
    expect(cluster.hooks.notices).toEqual([])
    expect((await cluster.connect(1, resume(client))).last('connected').resumed).toBe(true)
    const { events } = cluster.node(0).harness
    expect(events.map(([event]) => event).filter((event) => event.startsWith('session_store'))).toEqual([
      'session_store_away',
      'session_store_back',
    ])
    expect(stats(0).sessionStoreFailures).toBeGreaterThan(0)
  })

  it('ends nobody when it comes back with what everyone could not refresh', async () => {
    const client = await settled()
    for (const { line } of cluster.nodes) line.become('away')
    await stay(3 * TTL_MS, client)
    for (const index of [1, 2, 0]) cluster.node(index).line.become('fine')
    await stay(40_000, client)
    expect(client.isOpen).toBe(true)
    expect(cluster.hooks.notices).toEqual([])
    expect(stats(0).sessions).toBe(1)
  })

  it.each([100, 104, 108, 112, 116, 120])(
    'ends nobody when nodes without sessions are back before the one that has them, after %i s',
    async (seconds) => {
      const client = await settled()
      for (const { line } of cluster.nodes) line.become('away')
      await stay(seconds * 1000, client)
      for (const index of [1, 2]) cluster.node(index).line.become('fine')
      await stay(5_000, client)
      cluster.node(0).line.become('fine')
      await stay(40_000, client)
      expect(client.isOpen).toBe(true)
      expect(cluster.hooks.notices).toEqual([])
    },
  )

  it('ends nobody when a node has just begun as it comes back', async () => {
    cluster = await EngineCluster.start({ nodes: 1, limits: { sessionTtlMs: 6_000 } })
    cluster.hooks.wanted.add('disconnect')
    const client = await settled()
    cluster.node(0).line.become('away')
    await stay(12_000, client)
    await cluster.add()
    await stay(6_000, client)
    cluster.node(0).line.become('fine')
    await stay(20_000, client)
    expect(client.isOpen).toBe(true)
    expect(cluster.hooks.notices).toEqual([])
  })

  it('[L24] hears of the ends that it missed, and tells of each once', async () => {
    const client = await settled()
    for (const { line } of cluster.nodes) line.become('away')
    client.say({ type: 'disconnect' })
    await cluster.advance(10_000)
    expect(cluster.hooks.of('disconnect')).toEqual([])
    for (const { line } of cluster.nodes) line.become('fine')
    await cluster.advance(2 * TTL_MS)
    expect(cluster.hooks.of('disconnect')).toMatchObject([{ reason: 'closed' }])
    expect(cluster.sessions.size).toBe(0)
    expect(cluster.presence.node().list('open:a')).toEqual([])
  })
})

describe('a session that is more than the store takes', () => {
  it('stays on its node, ends as any other, and does not hold up the others', async () => {
    cluster = await EngineCluster.start({
      through: {
        sessions: (store) => ({
          ...store,
          put: (records, ttlMs) => {
            if (records.some(({ identity }) => identity.user === 'big')) throw new FusewireError('message_too_large')
            return store.put(records, ttlMs)
          },
        }),
      },
    })
    cluster.hooks.wanted.add('disconnect')
    const users = Array.from({ length: 9 }, (_, n) => (n === 4 ? 'big' : `user${n}`))
    const clients = await Promise.all(users.map((token) => cluster.connect(0, { token })))
    await stay(2 * TTL_MS, ...clients)
    expect(cluster.sessions.size).toBe(8)
    const { events } = cluster.node(0).harness
    expect(events.map(([event]) => event)).toEqual(['session_not_shared'])
    clients[4]?.say({ type: 'disconnect' })
    await cluster.advance(500)
    expect(cluster.hooks.of('disconnect')).toMatchObject([{ user: 'big', reason: 'closed' }])
    expect(clients.filter(({ isOpen }) => isOpen)).toHaveLength(8)
  })
})

describe('presence that cannot be ended when its session does', () => {
  it('is ended as soon as it can be, and whoever watches is told', async () => {
    let isAway = false
    const presence = (store: PresenceStore): PresenceStore => ({
      add: (channel, member) => store.add(channel, member),
      remove: (channel, session) => {
        if (isAway) throw new FusewireError('broker_unavailable')
        return store.remove(channel, session)
      },
      refresh: (channel, members) => store.refresh(channel, members),
      list: (channel) => store.list(channel),
      count: (channel) => store.count(channel),
      close: () => store.close(),
    })
    cluster = await EngineCluster.start({ nodes: 2, through: { presence } })
    cluster.hooks.wanted.add('disconnect')
    const watcher = await cluster.connect(1, { subscriptions: [{ channel: 'open:a', presence: true }] })
    const client = await settled()
    isAway = true
    client.say({ type: 'disconnect' })
    await cluster.advance(2000)
    expect(cluster.hooks.notices).toHaveLength(1)
    expect(cluster.presence.node().list('open:a')).toHaveLength(2)
    isAway = false
    await cluster.advance(500)
    expect(watcher.all('leave').map(({ member }) => member.session)).toEqual([client.last('connected').session])
    expect(cluster.presence.node().list('open:a')).toHaveLength(1)
    expect(cluster.hooks.notices).toHaveLength(1)
  })
})

describe('presence of a session that has not been long in its channel', () => {
  const present = () => cluster.presence.node().list('open:a')

  /** Time passes for those who watch alone. */
  const watch = async (watcher: PresenceWatcher, ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10_000) {
      watcher.ping()
      await cluster.advance(10_000)
    }
  }

  it('ends with it on another node, whose client has not named the channel', async () => {
    const watcher = await PresenceWatcher.open(cluster.node(2).harness, ['open:a'])
    const first = await cluster.connect(0, { token: 'ann' })
    await cluster.advance(500)
    first.say({ type: 'subscribe', channel: 'open:a' })
    await turn()
    const second = cluster.open(1)
    cluster.say(1, second, { type: 'connect', ...resume(first) })
    await turn()
    cluster.cut(1, second)
    expect(watcher.present('open:a')).toHaveLength(2)
    await watch(watcher, TTL_MS + 10_000)
    expect(watcher.present('open:a')).toEqual([watcher.session])
    expect(present()).toHaveLength(1)
  })

  it('ends with it when its node dies', async () => {
    const watcher = await PresenceWatcher.open(cluster.node(2).harness, ['open:a'])
    const client = await cluster.connect(0, { token: 'ann' })
    await cluster.advance(500)
    client.say({ type: 'subscribe', channel: 'open:a' })
    await turn()
    cluster.kill(0)
    expect(watcher.present('open:a')).toHaveLength(2)
    await watch(watcher, 2 * TTL_MS)
    expect(watcher.present('open:a')).toEqual([watcher.session])
    expect(present()).toHaveLength(1)
  })

  it('does not begin where another node takes the session before the store has heard of the channel', async () => {
    const held = new HeldCalls()
    let former: NodeLine | undefined
    cluster = await EngineCluster.start({
      through: {
        sessions: (store, line) => {
          former ??= line
          return line === former ? held.of(store, 'put') : store
        },
      },
    })
    const first = await cluster.connect(0, { token: 'ann' })
    await cluster.advance(500)
    held.holding = 'calls'
    first.say({ type: 'subscribe', channel: 'open:a' })
    await turn()
    expect(held.size).toBe(1)
    await cluster.connect(1, resume(first))
    held.holding = 'nothing'
    held.release()
    await cluster.advance(500)
    expect(present()).toEqual([])
    expect(first.all('subscribed')).toEqual([])
  })

  it('does not wait for a store of sessions that is away', async () => {
    let isAway = false
    cluster = await EngineCluster.start({
      nodes: 1,
      through: {
        sessions: (store) => ({
          ...store,
          put: (records, ttlMs) => {
            if (isAway) throw new FusewireError('broker_unavailable')
            return store.put(records, ttlMs)
          },
        }),
      },
    })
    const client = await cluster.connect(0)
    isAway = true
    for (const channel of ['open:a', 'open:b']) {
      client.say({ type: 'subscribe', channel })
      await turn()
      expect(client.last('subscribed').channel).toBe(channel)
    }
    expect(present()).toHaveLength(1)
  })

  it('is no subscription of which the application hears the end, as long as its client has not', async () => {
    const held = new HeldCalls()
    cluster = await EngineCluster.start({ through: { presence: (presence) => held.of(presence, 'add') } })
    cluster.hooks.wanted.add('disconnect').add('unsubscribe')
    const client = await cluster.connect(0, { token: 'ann' })
    held.holding = 'calls'
    client.say({ type: 'subscribe', channel: 'open:a' })
    await turn()
    cluster.kill(0)
    await cluster.advance(2 * TTL_MS)
    expect(cluster.hooks.notices.map(({ event }) => event)).toEqual(['disconnect'])
  })
})

describe('presence of a session that was taken over', () => {
  it('stays, though its client could not be subscribed again', async () => {
    const held = new HeldCalls()
    cluster = await EngineCluster.start({ presenceTtlMs: TTL_MS, through: { presence: (presence) => held.of(presence, 'add') } })
    const first = await settled()
    held.holding = 'calls'
    const second = await cluster.connect(1, resume(first))
    held.holding = 'nothing'
    held.refuse(new FusewireError('broker_unavailable'))
    await turn()
    expect(second.last('error').code).toBe('broker_unavailable')
    await stay(2 * TTL_MS, second)
    expect(await cluster.presence.node().list('open:a')).toHaveLength(1)
  })
})

describe('presence that the store has lost', () => {
  it('comes back with the next refresh', async () => {
    const client = await settled()
    await cluster.presence.node().remove('open:a', client.last('connected').session)
    expect(cluster.presence.node().list('open:a')).toEqual([])
    await cluster.advance(TTL_MS / 3 + 1000)
    expect(cluster.presence.node().list('open:a')).toHaveLength(1)
  })
})

describe('whoever watches a channel', () => {
  it('[S16] is told by another subscribed to read presence again, when joins and leaves may have been missed', async () => {
    const watcher = await cluster.connect(1, { subscriptions: [{ channel: 'open:a', presence: true }] })
    cluster.node(1).line.become('away')
    const missed = await settled()
    expect(watcher.all('join')).toEqual([])
    cluster.node(1).line.become('fine')
    await cluster.advance(2000)
    expect(watcher.all('subscribed')).toHaveLength(2)
    cluster.say(1, watcher, { type: 'presence', id: 3, channel: 'open:a' })
    await turn()
    const { members } = watcher.last('result').data as { members: { session: string }[] }
    expect(members.map(({ session }) => session)).toContain(missed.last('connected').session)
  })
})

describe('the store', () => {
  it('hears of a session at once, so that its end is told whenever its node dies', async () => {
    const client = await cluster.connect(0, { token: 'ann' })
    cluster.kill(0)
    await cluster.advance(100_000)
    expect(cluster.hooks.of('disconnect')).toMatchObject([{ session: client.last('connected').session, reason: 'expired' }])
  })

  it('is asked about a thousand sessions in few calls, evenly over the time that they have', async () => {
    const calls: { readonly call: string; readonly count: number }[] = []
    cluster = await EngineCluster.start({
      nodes: 1,
      limits: { maxConnectionsPerUser: 10_000 },
      through: {
        sessions: (store) => ({
          ...store,
          put: (records, ttlMs) => {
            calls.push({ call: 'put', count: records.length })
            return store.put(records, ttlMs)
          },
          refresh: (ids, ttlMs) => {
            calls.push({ call: 'refresh', count: ids.length })
            return store.refresh(ids, ttlMs)
          },
        }),
      },
    })
    const clients = Array.from({ length: 1000 }, () => cluster.open(0))
    for (const client of clients) client.say({ type: 'connect' })
    await turn()
    expect(calls.length).toBeLessThan(10)
    expect(cluster.sessions.size).toBe(1000)
    calls.length = 0
    await stay(TTL_MS, ...clients)
    const refreshed = calls.filter(({ call }) => call === 'refresh').map(({ count }) => count)
    const sum = refreshed.reduce((total, count) => total + count, 0)
    // Three times in a TTL.
    expect(sum).toBeGreaterThan(2900)
    expect(sum).toBeLessThan(3300)
    expect(Math.max(...refreshed)).toBeLessThan(30)
  })
})

describe('a node that has died with many sessions', () => {
  it('has them ended a thousand a second by each of the others, every one once', async () => {
    cluster = await EngineCluster.start({ nodes: 2, limits: { maxConnectionsPerUser: 10_000 } })
    cluster.hooks.wanted.add('disconnect')
    for (let n = 0; n < 2500; n++) cluster.open(0).say({ type: 'connect' })
    await cluster.advance(500)
    cluster.kill(0)
    let most = 0
    for (let passed = 0; passed < 100_000; passed += 250) {
      const before = cluster.hooks.notices.length
      await cluster.advance(250)
      most = Math.max(most, cluster.hooks.notices.length - before)
    }
    expect(new Set(cluster.hooks.of('disconnect').map(({ id }) => id)).size).toBe(2500)
    expect(cluster.hooks.notices).toHaveLength(2500)
    expect(most).toBeLessThanOrEqual(1000)
    expect(cluster.sessions.size).toBe(0)
  })
})
