import type { FusewireError, Position } from '@fusewire/protocol'
import {
  describeWith,
  eventually,
  type RedisClusterServers,
  type RedisSentinelServers,
  startRedisCluster,
  startRedisSentinel,
} from '@fusewire/testkit'
import { expect, it } from 'vitest'
import { moveSlot } from './testing/move-slot.ts'
import { WatchedBroker } from './testing/watched-broker.ts'

const TIMEOUT_MS = 3_000
const PATIENCE = { timeoutMs: 30_000, intervalMs: 20 }

/** Publishes until the other node hears it, as what is published before that may be one of those that it is told to have missed. */
const publishUntilHeard = async (
  from: WatchedBroker,
  to: WatchedBroker,
  channel: string,
  isMeant: (position: Position) => boolean = () => true,
): Promise<Position> => {
  let tries = 0
  return eventually(async () => {
    const data = `after ${++tries}`
    const { position } = await from.publish(channel, data).catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'broker_unavailable' })
      throw error
    })
    expect(isMeant(position)).toBe(true)
    await eventually(() => expect(to.heard.some((each) => each.channel === channel && each.data === data)).toBe(true), {
      timeoutMs: 500,
    })
    return position
  }, PATIENCE)
}

/** Publishes without a pause until `during` is over; gives what was answered and what was not. */
const publishDuring = async (
  watched: WatchedBroker,
  channel: string,
  during: () => Promise<unknown>,
): Promise<readonly string[]> => {
  const answered: string[] = []
  const refused: unknown[] = []
  let isOver = false
  const over = during().finally(() => {
    isOver = true
  })
  over.catch(() => undefined)
  for (let n = 0; !isOver; n++) {
    const data = `${channel} ${n}`
    await watched.publish(channel, data).then(
      () => answered.push(data),
      (error: unknown) => refused.push(error),
    )
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await over
  for (const error of refused) expect(error).toMatchObject({ code: 'broker_unavailable' } satisfies Partial<FusewireError>)
  return answered
}

/** What was heard of a channel since it was last interrupted, or all of it. */
const offsetsAreInOrder = (watched: WatchedBroker, channel: string): void => {
  const byEpoch = new Map<string, number[]>()
  for (const { epoch, offset, channel: of } of watched.heard)
    if (of === channel) byEpoch.set(epoch, [...(byEpoch.get(epoch) ?? []), offset])
  for (const offsets of byEpoch.values()) {
    expect(new Set(offsets).size).toBe(offsets.length)
    expect(offsets).toEqual([...offsets].sort((one, other) => one - other))
  }
}

describeWith(['redis-server', 'redis-sentinel'], 'RedisBroker and sentinels', () => {
  it.each([
    ['has handed over', async (servers: RedisSentinelServers) => void (await servers.failOver())],
    [
      'was killed',
      async (servers: RedisSentinelServers) => {
        await servers.killMaster()
        await servers.untilHealthy()
      },
    ],
  ])(
    'goes on with the next master when one %s, in another epoch',
    async (_, fail) => {
      await using servers = await startRedisSentinel()
      const redis = { mode: 'sentinel', urls: servers.urls } as const
      await using watched = await WatchedBroker.start(redis, { timeoutMs: TIMEOUT_MS })
      await using other = await WatchedBroker.start(redis, { node: 'b', timeoutMs: TIMEOUT_MS })
      await watched.broker.subscribe('a')
      const { position } = await other.publish('a', 'before')
      await publishDuring(other, 'a', () => fail(servers))
      // Until sentinels have demoted the former master, it takes publications that are lost.
      await publishUntilHeard(other, watched, 'a', ({ epoch }) => epoch !== position.epoch)
      expect(watched.interruptions).toContain('a')
      expect((await watched.history('a', position)).complete).toBe(false)
      offsetsAreInOrder(watched, 'a')
    },
    90_000,
  )
})

describeWith(['redis-server', 'redis-cli'], 'RedisBroker and a cluster', () => {
  const channels = Array.from({ length: 12 }, (_, index) => `c${index}`)

  it.each([
    ['was killed', async (servers: RedisClusterServers) => void (await servers.killMaster('{c0}'))],
    ['has handed over', async (servers: RedisClusterServers) => void (await servers.failOver('{c0}'))],
  ])(
    'goes on with the replica of a master that %s, and leaves the other channels alone',
    async (_, fail) => {
      await using cluster = await startRedisCluster()
      const redis = { mode: 'cluster', urls: cluster.urls } as const
      await using watched = await WatchedBroker.start(redis, { timeoutMs: TIMEOUT_MS })
      await using other = await WatchedBroker.start(redis, { node: 'b', timeoutMs: TIMEOUT_MS })
      await Promise.all(channels.map((channel) => watched.broker.subscribe(channel)))
      const before = new Map<string, Awaited<ReturnType<WatchedBroker['publish']>>>()
      for (const channel of channels) before.set(channel, await other.publish(channel, 'before'))
      const lost = await cluster.master('{c0}')
      const affected: string[] = []
      for (const channel of channels) if ((await cluster.master(`{${channel}}`)) === lost) affected.push(channel)
      expect(affected.length).toBeLessThan(channels.length)
      await publishDuring(other, 'c0', async () => {
        await fail(cluster)
        await eventually(async () => (await cluster.master('{c0}')) !== lost, PATIENCE)
      })
      for (const channel of channels) {
        const { epoch } = await publishUntilHeard(other, watched, channel)
        const isSame = epoch === before.get(channel)?.position.epoch
        expect([channel, isSame]).toEqual([channel, !affected.includes(channel)])
      }
      for (const channel of channels) {
        offsetsAreInOrder(watched, channel)
        if (affected.includes(channel)) expect(watched.interruptions).toContain(channel)
        else {
          expect(watched.interruptions).not.toContain(channel)
          expect(watched.heard.filter((each) => each.channel === channel).map(({ data }) => data)).toEqual(['before', 'after 1'])
        }
      }
    },
    90_000,
  )

  it('keeps the order of what one node publishes while a slot moves', async () => {
    await using cluster = await startRedisCluster()
    await using watched = await WatchedBroker.start({ mode: 'cluster', urls: cluster.urls }, { timeoutMs: TIMEOUT_MS })
    const all = { historySize: 1_000_000, historyBytes: 1_000_000_000 }
    await watched.publish('a', 0, all)
    const from = await cluster.master('{a}')
    const to = await cluster.master((await cluster.master('{b}')) === from ? '{c}' : '{b}')
    const publishing: Promise<unknown>[] = []
    let isOver = false
    const moved = moveSlot('{a}', from, to).finally(() => {
      isOver = true
    })
    for (let n = 1; !isOver; n++) {
      publishing.push(watched.publish('a', n, all).catch(() => undefined))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await moved
    for (let n = 0; n < 200; n++) {
      publishing.push(watched.publish('a', 1e9 + n, all).catch(() => undefined))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(publishing)
    const kept = (await watched.history('a')).publications.map(({ data }) => Number(data))
    expect(kept.length).toBeGreaterThan(10)
    expect(kept).toEqual([...kept].sort((one, other) => one - other))
  }, 90_000)

  it('follows a slot to another master under live subscriptions, and misses nothing silently', async () => {
    await using cluster = await startRedisCluster()
    const redis = { mode: 'cluster', urls: cluster.urls } as const
    await using watched = await WatchedBroker.start(redis, { timeoutMs: TIMEOUT_MS })
    await using other = await WatchedBroker.start(redis, { node: 'b', timeoutMs: TIMEOUT_MS })
    await watched.broker.subscribe('a')
    await other.publish('a', 'before')
    const from = await cluster.master('{a}')
    const to = await cluster.master((await cluster.master('{b}')) === from ? '{c}' : '{b}')
    expect(to).not.toBe(from)
    const answered = await publishDuring(other, 'a', async () => {
      await moveSlot('{a}', from, to)
      await eventually(async () => (await cluster.master('{a}')) === to, PATIENCE)
    })
    await publishUntilHeard(other, watched, 'a')
    offsetsAreInOrder(watched, 'a')
    const kept = (await watched.history('a')).publications.map(({ data }) => data)
    for (const data of answered) expect(kept).toContain(data)
    // Another master is another life, so that is told; whatever was not heard is in the history.
    expect(watched.interruptions).toContain('a')
  }, 90_000)
})
