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
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { RedisConnection } from './redis-connection.ts'
import { RedisSessions } from './redis-sessions.ts'
import type { ChannelListener } from './redis-subscriptions.ts'
import { SessionAlarms } from './session-alarms.ts'
import { moveSlot } from './testing/move-slot.ts'
import { connectTo, type StartedRedis, TELLS_OF_EXPIRY } from './testing/redis-kinds.ts'

const LONG_MS = 600_000
const SHORT_MS = 300
const PATIENCE = { timeoutMs: 20_000, intervalMs: 20 }

type At = Pick<StartedRedis, 'mode' | 'urls'>

/** Sessions of a node which counts how often it was told that something is due. */
class Listening {
  readonly connection: RedisConnection
  readonly sessions: RedisSessions
  due = 0

  private constructor(at: At, node: string) {
    this.connection = connectTo(at)
    this.sessions = new RedisSessions(this.connection, { node, prefix: 'alarms', alarmLeadMs: SHORT_MS / 2 })
  }

  /** Is ended with the test. */
  static async start(at: At, node = 'a'): Promise<Listening> {
    const listening = new Listening(at, node)
    await listening.sessions.start({ lost: () => undefined, due: () => listening.due++ })
    onTestFinished(() => listening.close())
    return listening
  }

  /** A session of this name is told to be due once its TTL has ended, is given out, and ends. */
  async expectAlarm(id: string): Promise<void> {
    const before = this.due
    await eventually(() => this.sessions.put([sessionRecord(id)], SHORT_MS), PATIENCE)
    await eventually(() => expect(this.due).toBeGreaterThan(before), PATIENCE)
    expect((await this.sessions.expired(10, LONG_MS)).map((record) => record.id)).toEqual([id])
    expect(await this.sessions.remove([id])).toEqual([id])
  }

  close(): void {
    this.sessions.close()
    this.connection.close()
  }
}

describe('SessionAlarms', () => {
  const listeners = new Map<string, ChannelListener>()
  let subscribed: number
  let looks: number
  let due: number
  /** What a look finds out; none does where this is undefined. */
  let ends: readonly [due: number, nextMs: number] | undefined
  let alarms: SessionAlarms
  const ring = (key: string): void => listeners.get(key)?.message(Buffer.from('expired'))

  beforeEach(async () => {
    vi.useFakeTimers()
    subscribed = looks = due = 0
    ends = [0, -1]
    const connection = {
      subscribeToKey: async (key: string, listener: ChannelListener) => {
        subscribed++
        listeners.set(key, listener)
      },
      unsubscribeFromKey: (key: string) => void listeners.delete(key),
    }
    alarms = new SessionAlarms(connection, {
      keys: ['one', 'two'],
      look: async () => {
        looks++
        if (!ends) throw new Error('refused')
        return ends
      },
      onDue: () => due++,
    })
    alarms.start()
    await vi.advanceTimersByTimeAsync(500)
    expect([subscribed, looks, due]).toEqual([2, 2, 0])
  })
  afterEach(() => {
    alarms.close()
    expect(vi.getTimerCount()).toBe(0)
    expect(listeners.size).toBe(0)
    vi.useRealTimers()
  })

  it('look again in a second where a look was refused', async () => {
    ends = undefined
    ring('one')
    await vi.advanceTimersByTimeAsync(100)
    expect([looks, due]).toEqual([3, 0])
    ends = [1, -1]
    await vi.advanceTimersByTimeAsync(1000)
    expect([looks, due]).toEqual([4, 1])
  })

  it('tell at once, and then no more than ten times a second, of however many shards', async () => {
    ends = [1, 0]
    ring('one')
    await vi.advanceTimersByTimeAsync(0)
    expect(due).toBe(1)
    ring('two')
    await vi.advanceTimersByTimeAsync(90)
    expect(due).toBe(1)
    await vi.advanceTimersByTimeAsync(910)
    expect([due, looks > 50]).toEqual([11, true])
    ends = [0, -1]
    await vi.advanceTimersByTimeAsync(1000)
    expect(due).toBeLessThanOrEqual(12)
  })

  it('are tried again in a minute where Redis has refused what it let be heard before', async () => {
    for (const listener of listeners.values()) listener.refused?.()
    await vi.advanceTimersByTimeAsync(59_000)
    expect(subscribed).toBe(2)
    await vi.advanceTimersByTimeAsync(2000)
    expect(subscribed).toBe(4)
  })
})

describeWith(['redis-server'], 'alarms of sessions', () => {
  let redis: RedisServer
  let at: At
  const start = async (config: Readonly<Record<string, string>>): Promise<void> => {
    redis = await startRedis({ config })
    at = { mode: 'standalone', urls: [redis.url] }
  }
  beforeEach(() => start(TELLS_OF_EXPIRY))
  afterEach(() => redis.stop())

  it('ring in whichever database the address names', async () => {
    at = { mode: 'standalone', urls: [`${redis.url}/7`] }
    const node = await Listening.start(at)
    await node.expectAlarm('s1')
  })

  it('ring for sessions whose TTL has become shorter, and in vain for those that live on', async () => {
    const node = await Listening.start(at)
    await node.sessions.put([sessionRecord('s1')], LONG_MS)
    await node.sessions.put([sessionRecord('s1')], SHORT_MS)
    await node.sessions.refresh(['s1'], LONG_MS)
    await node.expectAlarm('s2')
    await node.sessions.refresh(['s1'], SHORT_MS)
    const { due } = node
    await eventually(() => expect(node.due).toBeGreaterThan(due), PATIENCE)
    expect(await node.sessions.expired(10, LONG_MS)).toEqual([sessionRecord('s1')])
  })

  it('ring again after a connection was lost', async () => {
    const node = await Listening.start(at)
    await node.expectAlarm('s1')
    await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await node.expectAlarm('s2')
  })

  it('ring as soon as somebody looks for what has expired, where Redis does not come across them itself', async () => {
    await redis.stop()
    await start({ ...TELLS_OF_EXPIRY, 'enable-debug-command': 'yes' })
    await redis.command('DEBUG', 'SET-ACTIVE-EXPIRE', 0)
    const node = await Listening.start(at)
    await node.sessions.put([sessionRecord('s1')], 1000)
    await eventually(async () => {
      await node.sessions.expired(0, LONG_MS)
      expect(node.due).toBeGreaterThan(0)
    }, PATIENCE)
    expect(await node.sessions.expired(10, LONG_MS)).toEqual([sessionRecord('s1')])
  })

  it('ring for a user who may listen to them', async () => {
    await redis.command('ACL', 'SETUSER', 'default', 'resetchannels', '&alarms:*', '&__keyspace@*__:alarms:*')
    const node = await Listening.start(at)
    await node.expectAlarm('s1')
  })

  it('do no more than have somebody look, when others ring them', async () => {
    const node = await Listening.start(at)
    await node.expectAlarm('s1')
    const { due } = node
    for (let shard = 0; shard < 16; shard++)
      for (const event of ['expired', 'expired', 'del', 'set', '', '\u0000'])
        await redis.command('PUBLISH', `__keyspace@0__:alarms:{s${shard}}:alarm`, event)
    await node.sessions.put([sessionRecord('s2')], LONG_MS)
    await node.expectAlarm('s3')
    expect(node.due - due).toBeLessThanOrEqual(2)
    expect(await node.sessions.find('s2')).toEqual(sessionRecord('s2'))
  })

  it('are given up where their user may not listen to them any more', async () => {
    const rejected = async (): Promise<number> =>
      Number(/rejected_calls=(\d+)/u.exec((await redis.info('commandstats', 'cmdstat_subscribe')) ?? '')?.[1])
    const node = await Listening.start(at)
    await node.expectAlarm('s1')
    await redis.command('ACL', 'SETUSER', 'default', 'resetchannels', '&alarms:*')
    await eventually(async () => expect(await rejected()).toBeGreaterThan(0), PATIENCE)
    await eventually(() => node.sessions.put([sessionRecord('s2')], SHORT_MS), PATIENCE)
    await eventually(async () => expect(await node.sessions.expired(10, LONG_MS)).toEqual([sessionRecord('s2')]), PATIENCE)
    expect(await rejected()).toBe(1)
    expect(node.connection.problem()).toBeUndefined()
  })

  it.each([
    ['tells nothing', ['CONFIG', 'SET', 'notify-keyspace-events', '']],
    ['lets nobody listen', ['ACL', 'SETUSER', 'default', 'resetchannels', '&alarms:*']],
  ])('keep nobody from being given what has expired where Redis %s', async (_, command) => {
    await redis.command(...command)
    const node = await Listening.start(at)
    await node.sessions.put([sessionRecord('s1')], SHORT_MS)
    await eventually(async () => expect(await node.sessions.expired(10, LONG_MS)).toEqual([sessionRecord('s1')]), PATIENCE)
    expect(await node.sessions.remove(['s1'])).toEqual(['s1'])
    expect(node.connection.problem()).toBeUndefined()
  })
})

describeWith(['redis-server', 'redis-cli'], 'alarms of sessions in a cluster', () => {
  let cluster: RedisClusterServers
  beforeAll(async () => {
    cluster = await startRedisCluster({ config: TELLS_OF_EXPIRY })
  })
  afterAll(() => cluster.stop())

  /** A session whose shard is this one. */
  const sessionOf = async (node: Listening, shard: string): Promise<string> => {
    for (let n = 0; ; n++) {
      const id = `probe${n}`
      await node.sessions.put([sessionRecord(id)], LONG_MS)
      const isThere = await (await cluster.master(shard)).command('EXISTS', `alarms:${shard}:s:${id}`)
      await node.sessions.remove([id])
      if (isThere === 1) return id
    }
  }

  it('are no reason to refuse a call while their slot moves', async () => {
    const node = await Listening.start({ mode: 'cluster', urls: cluster.urls })
    const id = await sessionOf(node, '{s0}')
    await node.sessions.put([sessionRecord(id)], LONG_MS)
    const from = await cluster.master('{s0}')
    const to = await cluster.master((await cluster.master('{s1}')) === from ? '{s2}' : '{s1}')
    const slot = Number(await from.command('CLUSTER', 'KEYSLOT', '{s0}'))
    await from.command('DEL', 'alarms:{s0}:alarm')
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(await to.command('CLUSTER', 'MYID')))
    expect(await node.sessions.refresh([id], LONG_MS)).toEqual({ lost: [], unknown: [] })
    expect(await node.sessions.expired(10, LONG_MS)).toEqual([])
    await from.command('CLUSTER', 'SETSLOT', slot, 'STABLE')
    expect(await node.sessions.remove([id])).toEqual([id])
  })

  it('ring at the next master of a shard, and where its slot has moved', async () => {
    const node = await Listening.start({ mode: 'cluster', urls: cluster.urls })
    const id = await sessionOf(node, '{s0}')
    await node.expectAlarm(id)
    const next = await cluster.failOver('{s0}')
    await node.expectAlarm(id)
    const to = await cluster.master((await cluster.master('{s1}')) === next ? '{s2}' : '{s1}')
    await moveSlot('{s0}', next, to)
    await node.expectAlarm(id)
  }, 90_000)
})

describeWith(['redis-server', 'redis-sentinel'], 'alarms of sessions and sentinels', () => {
  it('ring at the next master', async () => {
    await using servers = await startRedisSentinel({ config: TELLS_OF_EXPIRY })
    const node = await Listening.start({ mode: 'sentinel', urls: servers.urls })
    await node.expectAlarm('s1')
    await servers.killMaster()
    await servers.untilHealthy()
    await node.expectAlarm('s2')
  }, 90_000)
})
