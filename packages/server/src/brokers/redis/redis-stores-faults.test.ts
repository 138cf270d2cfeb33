import type { Revocation } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import {
  describeWith,
  eventually,
  type RedisClusterServers,
  type RedisServer,
  sessionRecord,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
} from '@fusewire/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest'
import { nodeEnvironment } from '../../node-environment.ts'
import { RedisBus } from './redis-bus.ts'
import type { RedisConnection } from './redis-connection.ts'
import { RedisPresence } from './redis-presence.ts'
import { RedisRevocations } from './redis-revocations.ts'
import { RedisSessions } from './redis-sessions.ts'
import { connectTo, type StartedRedis } from './testing/redis-kinds.ts'

const LONG_MS = 600_000
const TIMEOUT_MS = 2000
const PATIENCE = { timeoutMs: 20_000 }

/** What one node has of Redis. */
class Node {
  readonly connection: RedisConnection
  readonly sessions: RedisSessions
  readonly presence: RedisPresence
  readonly revocations: RedisRevocations
  readonly bus: RedisBus
  readonly lost: string[] = []
  readonly revoked: Revocation[] = []
  readonly heard: string[] = []
  readonly #name: string

  constructor(redis: Pick<StartedRedis, 'mode' | 'urls'>, name: string) {
    this.#name = name
    this.connection = connectTo(redis, TIMEOUT_MS)
    const options = { node: name, prefix: 'faults' }
    this.sessions = new RedisSessions(this.connection, options)
    this.presence = new RedisPresence(this.connection, { ...options, ttlMs: LONG_MS })
    this.revocations = new RedisRevocations(this.connection, nodeEnvironment, () => undefined, {
      ...options,
      maxRevocations: 1000,
    })
    this.bus = new RedisBus(this.connection, options)
  }

  async start(): Promise<this> {
    await this.sessions.start({ lost: (session) => this.lost.push(session), due: () => undefined })
    await this.revocations.start({ revoked: (revocation) => this.revoked.push(revocation) })
    await this.bus.start(this.#name, { message: (payload) => this.heard.push(Buffer.from(payload).toString()) })
    return this
  }

  close(): void {
    this.sessions.close()
    this.revocations.close()
    this.bus.close()
    this.connection.close()
  }
}

const end = (): number => Date.now() + LONG_MS
const back = (...nodes: readonly Node[]): Promise<unknown> =>
  eventually(() => expect(nodes.map(({ connection }) => connection.problem())).toEqual(nodes.map(() => undefined)), PATIENCE)

describeWith(['redis-server'], 'stores over a Redis that fails', () => {
  let redis: RedisServer
  let a: Node
  let b: Node

  beforeEach(async () => {
    redis = await startRedis({ appendonly: true, config: { appendfsync: 'always' } })
    const at = { mode: 'standalone', urls: [redis.url] } as const
    a = await new Node(at, 'a').start()
    b = await new Node(at, 'b').start()
    await a.sessions.put([sessionRecord('s1')], LONG_MS)
    await a.presence.add('room', { session: 's1', user: 'ada' })
    await a.revocations.revoke({ token: 't1' }, end())
    await eventually(() => expect(b.revocations.isRevoked({ tokenId: 't1' })).toBe(true))
  })
  afterEach(async () => {
    a.close()
    b.close()
    await redis.stop()
  })

  const talk = async (text: string): Promise<void> => {
    await eventually(async () => {
      await a.bus.send(Buffer.from(text), 'b')
      await b.bus.send(Buffer.from(text))
      expect([a.heard.includes(text), b.heard.includes(text)]).toEqual([true, true])
    }, PATIENCE)
  }

  it('find everything again after one that was restarted with its data', async () => {
    await redis.restart()
    await back(a, b)
    expect(await b.sessions.find('s1')).toEqual(sessionRecord('s1'))
    expect(await a.sessions.refresh(['s1'], LONG_MS)).toEqual({ lost: [], unknown: [] })
    expect(await b.presence.list('room')).toEqual([{ session: 's1', user: 'ada' }])
    await talk('after a restart')
    expect(await b.sessions.take('s1', LONG_MS)).toEqual(sessionRecord('s1'))
    await eventually(() => expect(a.lost).toEqual(['s1']), PATIENCE)
    expect([a.revocations.size, b.revocations.size]).toEqual([1, 1])
  })

  it('give back what one that was restarted empty has lost', async () => {
    await redis.restart({ empty: true })
    await back(a, b)
    expect(await a.sessions.refresh(['s1'], LONG_MS)).toEqual({ lost: [], unknown: ['s1'] })
    expect(await a.sessions.put([sessionRecord('s1')], LONG_MS)).toEqual([])
    expect(await b.sessions.find('s1')).toEqual(sessionRecord('s1'))
    expect(await b.presence.list('room')).toEqual([])
    await a.presence.refresh('room', [{ session: 's1', user: 'ada' }])
    expect(await b.presence.count('room')).toEqual({ sessions: 1, users: 1 })
    await talk('to an empty Redis')
    // A node that comes later learns of the revocation from those that remember it.
    await eventually(async () => {
      const late = await new Node({ mode: 'standalone', urls: [redis.url] }, 'late').start()
      try {
        expect(late.revocations.isRevoked({ tokenId: 't1' })).toBe(true)
      } finally {
        late.close()
      }
    }, PATIENCE)
    // Nobody was told of what everyone knew.
    expect([a.revoked, b.revoked]).toEqual([[{ token: 't1' }], [{ token: 't1' }]])
    await a.revocations.revoke({ token: 't2' }, end())
    await eventually(() => expect(b.revocations.isRevoked({ tokenId: 't2' })).toBe(true), PATIENCE)
  })

  it('tell whoever sweeps that nobody can refresh, while too few replicas are there', async () => {
    await redis.command('CONFIG', 'SET', 'min-replicas-to-write', 1)
    await expect(a.sessions.refresh(['s1'], LONG_MS)).rejects.toMatchObject({ code: 'broker_unavailable' })
    for (const limit of [0, 10])
      await expect(b.sessions.expired(limit, LONG_MS)).rejects.toMatchObject({ code: 'broker_unavailable' })
    await redis.command('CONFIG', 'SET', 'min-replicas-to-write', 0)
    expect(await b.sessions.expired(0, LONG_MS)).toEqual([])
  })

  it('refuse at once while one hangs, and go on when it wakes', async () => {
    redis.suspend()
    const calls = [
      a.sessions.put([sessionRecord('s2')], LONG_MS),
      a.sessions.refresh(['s1'], LONG_MS),
      a.sessions.expired(10, LONG_MS),
      a.presence.add('room', { session: 's2' }),
      a.revocations.revoke({ token: 't2' }, end()),
      a.bus.send(Buffer.from('into the void'), 'b'),
    ]
    for (const call of await Promise.allSettled(calls))
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'broker_unavailable', retryable: true } })
    expect(a.connection.problem()).toMatchObject({ code: 'broker_unavailable' })
    expect(a.revocations.isRevoked({ tokenId: 't1' })).toBe(true)
    await expect(a.sessions.find('s1')).rejects.toMatchObject({ code: 'broker_unavailable' })
    redis.wake()
    await back(a, b)
    expect(await b.sessions.find('s1')).toEqual(sessionRecord('s1'))
    await talk('awake')
  })

  it('let a node know of a revocation that it could not hear of', async () => {
    // A change without a message is what a node sees that has missed one.
    const keys = ['kept', 'ends', 'revision'].map((name) => `faults:{revocations}:${name}`)
    await a.connection.call('revocations_restore', keys, ['1000', 'tt2', String(end()), ''])
    expect(b.revocations.isRevoked({ tokenId: 't2' })).toBe(false)
    await a.revocations.revoke({ token: 't3' }, end())
    await eventually(() => expect(b.revocations.isRevoked({ tokenId: 't2' })).toBe(true), PATIENCE)
    expect(b.revoked).toEqual([{ token: 't1' }, { token: 't3' }, { token: 't2' }])
    expect(a.revocations.isRevoked({ tokenId: 't2' })).toBe(true)
  })

  it('let a node know of a revocation that has the number of one that was lost', async () => {
    await a.revocations.revoke({ token: 't2' }, end())
    await eventually(() => expect(b.revocations.isRevoked({ tokenId: 't2' })).toBe(true), PATIENCE)
    // What a failover may leave: the newest is gone, and a node that never heard of it has made the next.
    const keys = 'faults:{revocations}'
    await redis.command('HDEL', `${keys}:kept`, 'tt2')
    await redis.command('ZREM', `${keys}:ends`, 'tt2')
    await redis.command('HSET', `${keys}:kept`, 'tt3', `${end()} `)
    await redis.command('ZADD', `${keys}:ends`, end(), 'tt3')
    await redis.restart()
    await eventually(() => expect(b.revocations.isRevoked({ tokenId: 't3' })).toBe(true), PATIENCE)
    await eventually(async () => expect(await redis.command('HEXISTS', `${keys}:kept`, 'tt2')).toBe(1), PATIENCE)
  })

  it('stay connected when somebody else publishes in their channels', async () => {
    const problems: unknown[] = []
    a.connection.watch({ away: (problem) => problems.push(problem) })
    for (const name of ['{revocations}:made', '{nodes}:bus', '{nodes}:bus:a', '{node:a}:lost'])
      for (const text of ['', '9', 'what?', '1 2\n', '1 2\n{', '1 2\n[]', '1 2\n["c",1,"ux","soon",""]'])
        await redis.command('SPUBLISH', `faults:${name}`, text)
    await talk('all the same')
    await a.revocations.revoke({ token: 't2' }, end())
    await eventually(() => expect(b.revocations.isRevoked({ tokenId: 't2' })).toBe(true), PATIENCE)
    expect([a.revocations.size, problems]).toEqual([2, []])
  })

  it('let a node know of its own revocation whose answer is lost, and tell of it once', async () => {
    const { call } = a.connection
    // The answer is lost behind the message.
    a.connection.call = async (...args) => {
      await call.apply(a.connection, args)
      await eventually(() => expect(b.revocations.isRevoked({ tokenId: 't2' })).toBe(true))
      throw new FusewireError('broker_unavailable')
    }
    await expect(a.revocations.revoke({ token: 't2' }, end())).rejects.toMatchObject({ code: 'broker_unavailable' })
    a.connection.call = call
    await eventually(() => expect(a.revocations.isRevoked({ tokenId: 't2' })).toBe(true), PATIENCE)
    expect(a.revoked).toEqual([{ token: 't1' }, { token: 't2' }])
  })

  it('let a node know of revocations that were made while it was cut off', async () => {
    // Both lose their connections; the one that is first to be back revokes.
    await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await eventually(() => a.revocations.revoke({ token: 't2' }, end()), PATIENCE)
    await eventually(() => expect(b.revocations.isRevoked({ tokenId: 't2' })).toBe(true), PATIENCE)
    expect(b.revoked.filter((revocation) => 'token' in revocation && revocation.token === 't2')).toHaveLength(1)
  })
})

describeWith(['redis-server', 'redis-cli'], 'stores over a cluster that fails over', () => {
  let cluster: RedisClusterServers
  let a: Node
  let b: Node
  beforeAll(async () => {
    cluster = await startRedisCluster()
    const at = { mode: 'cluster', urls: cluster.urls } as const
    a = await new Node(at, 'a').start()
    b = await new Node(at, 'b').start()
  })
  afterAll(async () => {
    a.close()
    b.close()
    await cluster.stop()
  })

  it('find everything at the new masters', { timeout: 90_000 }, async () => {
    const ids = Array.from({ length: 50 }, (_, n) => `s${n}`)
    await a.sessions.put(
      ids.map((id) => sessionRecord(id)),
      LONG_MS,
    )
    for (const channel of ids) await a.presence.add(channel, { session: 's1' })
    await a.revocations.revoke({ token: 't1' }, end())
    for (const key of ['{nodes}', '{revocations}']) await cluster.failOver(key)
    await back(a, b)
    await eventually(async () => {
      const { lost, unknown } = await b.sessions.refresh(ids, LONG_MS)
      expect([[...lost].sort(), unknown]).toEqual([[...ids].sort(), []])
    }, PATIENCE)
    for (const channel of ids) expect(await b.presence.list(channel)).toEqual([{ session: 's1' }])
    await eventually(() => a.revocations.revoke({ token: 't2' }, end()), PATIENCE)
    await eventually(() => expect(b.revocations.isRevoked({ tokenId: 't2' })).toBe(true), PATIENCE)
    await eventually(async () => {
      await a.bus.send(Buffer.from('moved'), 'b')
      expect(b.heard).toContain('moved')
    }, PATIENCE)
    expect(await b.sessions.take('s7', LONG_MS)).toEqual(sessionRecord('s7'))
    await eventually(() => expect(a.lost).toContain('s7'), PATIENCE)
  })
})

describeWith(['redis-server', 'redis-sentinel'], 'stores over a master that is killed', () => {
  it('go on with its replica, and give it what it has not got', { timeout: 90_000 }, async () => {
    await using servers = await startRedisSentinel()
    const at = { mode: 'sentinel', urls: servers.urls } as const
    const [a, b] = [await new Node(at, 'a').start(), await new Node(at, 'b').start()]
    onTestFinished(() => {
      a.close()
      b.close()
    })
    await a.sessions.put([sessionRecord('s1'), sessionRecord('s2')], LONG_MS)
    await a.revocations.revoke({ token: 't1' }, end())
    await servers.killMaster()
    await eventually(() => expect(a.connection.problem()).toBeDefined(), PATIENCE)
    await eventually(async () => {
      const { lost, unknown } = await a.sessions.refresh(['s1', 's2'], LONG_MS)
      await a.sessions.put(
        unknown.map((id) => sessionRecord(id)),
        LONG_MS,
      )
      expect([lost, unknown]).toEqual([[], []])
    }, PATIENCE)
    await back(a, b)
    // Sentinels that are in doubt replace the next master as well, and until that one is told so both take writes.
    await servers.untilHealthy()
    let met = 0
    await eventually(async () => {
      const mark = `met${++met}`
      await a.sessions.put([sessionRecord(mark)], LONG_MS)
      expect(await b.sessions.refresh([mark], LONG_MS)).toEqual({ lost: [mark], unknown: [] })
    }, PATIENCE)
    expect(await b.sessions.take('s2', LONG_MS)).toEqual(sessionRecord('s2'))
    // To be told of it may fail, just after the failover; asking is certain.
    expect(await a.sessions.refresh(['s2'], LONG_MS)).toEqual({ lost: ['s2'], unknown: [] })
    await a.revocations.revoke({ user: 'ada', issuedBefore: 5000 }, end())
    await eventually(() => expect(b.revocations.isRevoked({ user: 'ada', issuedAt: 5000 })).toBe(true), PATIENCE)
    expect(b.revocations.isRevoked({ tokenId: 't1' })).toBe(true)
    await eventually(async () => {
      await b.bus.send(Buffer.from('at the next master'), 'a')
      expect(a.heard).toContain('at the next master')
    }, PATIENCE)
  })
})
