import type { FusewireInput } from '@fusewire/server'
import { describeWith, eventually, startRedisCluster, startRedisSentinel } from '@fusewire/testkit'
import { expect, it, onTestFailed, onTestFinished } from 'vitest'
import { Api } from '../api.ts'
import { FusewireProcess } from '../fusewire-process.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { all, join, until, type WireClient } from '../wire/way.ts'
import { webSocketWay } from '../wire/websocket-way.ts'

const way = webSocketWay('HTTP/1.1', 'json')
const open = { subscribe: 'anyone', publish: 'anyone', history: 'anyone' } as const

const openClient = async (server: FusewireProcess): Promise<WireClient> => {
  const client = await way.open(server)
  onTestFinished(() => client.destroy())
  return client
}

/** Two servers do everything together, over a Redis of this kind and after another master has taken its place. */
const goOn = async (broker: FusewireInput, failOver: () => Promise<unknown>): Promise<void> => {
  const options: FusewireInput = {
    ...DEVELOPMENT,
    ...broker,
    rules: [{ pattern: 'chat:*', presence: true, historySize: 100, ...open }],
  }
  const [one, other] = await Promise.all([FusewireProcess.start(options), FusewireProcess.start(options)])
  onTestFailed(() => console.error(`${one.log}\n${other.log}`))
  onTestFinished(async () => void (await Promise.all([one.stop(), other.stop()])))
  const [oneApi, otherApi] = [new Api(one.http), new Api(other.http)]

  const workTogether = async (channel: string): Promise<{ session: string; resume: string; since: object }> => {
    const client = await openClient(one)
    await join(client, channel)
    const { session, resume } = await until(client, 'connected')
    // Just after a failover a node may still be with the master before, whose publications are lost; it is told of another epoch then.
    const since = await eventually(
      async () => {
        const { position } = await otherApi.publish(channel, 1)
        await eventually(() => expect(all(client, 'publication')).toContainEqual(expect.objectContaining({ channel })), {
          timeoutMs: 1_000,
        })
        return position
      },
      { timeoutMs: 20_000 },
    )
    // Nor had the other master heard of who joined: each node tells it again with its next refresh.
    await eventually(
      async () => expect((await otherApi.presence(channel)).members.map((member) => member.session)).toEqual([session]),
      { timeoutMs: 30_000, intervalMs: 100 },
    )
    client.destroy()
    return { session, resume, since }
  }

  const { session, resume, since } = await workTogether('chat:before')
  await oneApi.publish('chat:before', 2)
  // The store has heard of the session by then, and not only a moment later.
  const second = await eventually(
    async () => {
      const client = await openClient(other)
      client.send({ type: 'connect', resume, subscriptions: [{ channel: 'chat:before', since }] })
      expect(await until(client, 'connected')).toMatchObject({ session, resumed: true })
      return client
    },
    { timeoutMs: 20_000 },
  )
  await eventually(() => expect(all(second, 'subscribed')).toMatchObject([{ recovered: true, publications: [{ data: 2 }] }]))

  await failOver()
  await eventually(async () => expect((await fetch(`${one.http}/readyz`)).status).toBe(200), { timeoutMs: 20_000 })
  await workTogether('chat:after')
  // Whoever was there is there still, and hears what is published once it has been told of the other epoch.
  await eventually(
    async () => {
      await oneApi.publish('chat:before', 3)
      expect(all(second, 'publication').map(({ data }) => data)).toContain(3)
    },
    { timeoutMs: 20_000, intervalMs: 200 },
  )
  expect(second.end).toBeUndefined()
}

describeWith(['redis-server', 'redis-sentinel'], 'two servers over a master that sentinels watch', () => {
  it('go on with the next master', { timeout: 120_000 }, async () => {
    await using servers = await startRedisSentinel()
    await goOn({ broker: [...servers.urls], redisMode: 'sentinel' }, () => servers.failOver())
  })
})

describeWith(['redis-server', 'redis-cli'], 'two servers over a Redis Cluster', () => {
  it('go on with the next masters', { timeout: 120_000 }, async () => {
    await using cluster = await startRedisCluster()
    const keys = ['{chat%3Abefore}', '{nodes}']
    await goOn({ broker: cluster.urls.slice(0, 2), redisMode: 'cluster' }, async () => {
      for (const key of keys) await cluster.failOver(key)
    })
  })
})
