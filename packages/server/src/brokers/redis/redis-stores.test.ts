import { describeWith, nodeBusContract, presenceContract, revocationsContract, sessionStoreContract } from '@fusewire/testkit'
import { afterAll, beforeAll } from 'vitest'
import { nodeEnvironment } from '../../node-environment.ts'
import { RedisBus } from './redis-bus.ts'
import type { RedisConnection } from './redis-connection.ts'
import { RedisPresence } from './redis-presence.ts'
import { RedisRevocations } from './redis-revocations.ts'
import { RedisSessions } from './redis-sessions.ts'
import { connectTo, REDIS_KINDS, type StartedRedis } from './testing/redis-kinds.ts'

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

for (const { title, programs, start } of REDIS_KINDS)
  describeWith(programs, `over Redis, ${title}`, () => {
    let redis: StartedRedis
    /** Of two nodes. */
    let connections: readonly [RedisConnection, RedisConnection]
    const others: RedisConnection[] = []
    let round = 0

    beforeAll(async () => {
      redis = await start()
      connections = [connectTo(redis), connectTo(redis)]
      await Promise.all(connections.map((connection) => connection.open()))
    })

    afterAll(async () => {
      for (const connection of [...connections, ...others]) connection.close()
      await redis.stop()
    })

    /** A part of Redis in which there is nothing. */
    const fresh = (): string => `test${++round}`

    sessionStoreContract(
      'RedisSessions',
      ({ traceMs }) => {
        const prefix = fresh()
        const [one, other] = connections
        const options = { prefix, traceMs, alarmLeadMs: 50 }
        return {
          store: new RedisSessions(one, { node: 'a', ...options }),
          another: (node) => new RedisSessions(node === 'b' ? other : one, { node, ...options }),
          pass: wait,
          traceMs,
          forget: () => redis.flush(),
        }
      },
      { runs: 10, shortMs: 150, tellsDue: true },
    )

    presenceContract('RedisPresence', () => {
      const options = { prefix: fresh(), ttlMs: 2000 }
      const [one, other] = connections
      return {
        presence: new RedisPresence(one, options),
        another: () => new RedisPresence(other, options),
        ttlMs: options.ttlMs,
        pass: wait,
      }
    })

    revocationsContract('RedisRevocations', ({ maxRevocations }) => {
      const prefix = fresh()
      const make = (connection: RedisConnection, node: string): RedisRevocations =>
        new RedisRevocations(connection, nodeEnvironment, () => undefined, { node, prefix, maxRevocations })
      const [one, other] = connections
      return { revocations: make(one, 'a'), now: () => Date.now(), pass: wait, another: () => make(other, 'b') }
    })

    nodeBusContract('RedisBus', () => {
      const connection = connectTo(redis)
      others.push(connection)
      return new RedisBus(connection, { prefix: 'bus' })
    })
  })
