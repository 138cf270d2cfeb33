/**
 * Measures what sessions, presence and revocations cost Redis: its processor time and its memory. Starts a Redis of its own.
 * Run with `node --conditions=@fusewire/source scripts/redis-costs.ts`; the figures are in `docs/scaling.md`.
 */
import type { Member } from '@fusewire/protocol'
import { type RedisServer, startRedis } from '@fusewire/testkit'
import { RedisBus } from '../packages/server/src/brokers/redis/redis-bus.ts'
import { RedisPresence } from '../packages/server/src/brokers/redis/redis-presence.ts'
import { RedisRevocations } from '../packages/server/src/brokers/redis/redis-revocations.ts'
import { RedisSessions } from '../packages/server/src/brokers/redis/redis-sessions.ts'
import { connectTo } from '../packages/server/src/brokers/redis/testing/redis-kinds.ts'
import { nodeEnvironment } from '../packages/server/src/node-environment.ts'
import { table } from './markdown.ts'
import { storedSession } from './stored-session.ts'

const SESSIONS = 20_000
const TTL_MS = 600_000
const AT_ONCE = 200

const all = Array.from({ length: SESSIONS }, (_, n) => storedSession(n))

const cpuMicros = async (redis: RedisServer): Promise<number> =>
  1e6 * (Number(await redis.info('cpu', 'used_cpu_user')) + Number(await redis.info('cpu', 'used_cpu_sys')))

const memory = async (redis: RedisServer): Promise<number> => Number(await redis.info('memory', 'used_memory'))

const rows: string[][] = []

/** Calls for each item, a few at once, as clients come. */
const each = async <T>(items: readonly T[], call: (item: T) => unknown): Promise<void> => {
  for (let first = 0; first < items.length; first += AT_ONCE) await Promise.all(items.slice(first, first + AT_ONCE).map(call))
}

await using redis = await startRedis()
const connection = connectTo({ mode: 'standalone', urls: [redis.url] })
await connection.open()

const measure = async (what: string, count: number, run: () => Promise<unknown>): Promise<void> => {
  const [cpu, bytes] = [await cpuMicros(redis), await memory(redis)]
  await run()
  const [cpuAfter, bytesAfter] = [await cpuMicros(redis), await memory(redis)]
  rows.push([what, ((cpuAfter - cpu) / count).toFixed(1), String(Math.round((bytesAfter - bytes) / count))])
}

const sessions = new RedisSessions(connection, { node: 'a', prefix: 'costs' })
const other = new RedisSessions(connection, { node: 'b', prefix: 'costs' })
await sessions.start({ lost: () => undefined, due: () => undefined })
const ids = all.map(({ id }) => id)
await measure('session: connect (put)', SESSIONS, () => each(all, (item) => sessions.put([item], TTL_MS)))
await measure('session: changes, all at once (put)', SESSIONS, () => sessions.put(all, TTL_MS))
for (let round = 0; round < 2; round++)
  await measure('session: heartbeats, 1,000 in a call of a node (refresh)', SESSIONS, async () => {
    for (let first = 0; first < ids.length; first += 1000) await sessions.refresh(ids.slice(first, first + 1000), TTL_MS)
  })
await measure('session: found by another node (find)', SESSIONS, () => each(ids, (id) => other.find(id)))
await measure('session: taken by another node (take)', SESSIONS, () => each(ids, (id) => other.take(id, TTL_MS)))
await measure('session: a look for those that have expired, of a node each second (expired)', 1000, async () => {
  for (let n = 0; n < 1000; n++) await sessions.expired(100, 1000)
})
await sessions.put([], TTL_MS)
await measure('session: disconnect (remove), with a trace', SESSIONS, () => each(ids, (id) => other.remove([id])))
await redis.command('FLUSHALL')
await sessions.put(all, TTL_MS)
await measure('session: disconnect (remove)', SESSIONS, () => each(ids, (id) => sessions.remove([id])))

const presence = new RedisPresence(connection, { prefix: 'costs', ttlMs: TTL_MS })
const members = all.map((_, n) => ({ session: `session-${n}`, user: `user-${n}`, info: { name: `User ${n}` } }))
for (const [title, channels] of [
  ['20 in a channel', SESSIONS / 20],
  ['all in a channel', 1],
] as const) {
  const channelOf = (n: number): string => `room:${n % channels}`
  const numbers = members.map((_, n) => n)
  await measure(`presence: join (add), ${title}`, SESSIONS, () =>
    each(numbers, (n) => presence.add(channelOf(n), members[n] ?? { session: '' })),
  )
  await measure(`presence: refresh, ${title}`, SESSIONS, async () => {
    const byChannel = new Map<string, Member[]>()
    for (const [n, member] of members.entries()) {
      const of = byChannel.get(channelOf(n))
      if (of) of.push(member)
      else byChannel.set(channelOf(n), [member])
    }
    await each([...byChannel], ([channel, of]) => presence.refresh(channel, of))
  })
  await measure(`presence: count, ${title}`, 1000, () => each(numbers.slice(0, 1000), (n) => presence.count(channelOf(n))))
  await measure(`presence: leave (remove), ${title}`, SESSIONS, () =>
    each(numbers, (n) => presence.remove(channelOf(n), `session-${n}`)),
  )
}

const revocations = new RedisRevocations(connection, nodeEnvironment, () => undefined, {
  node: 'a',
  prefix: 'costs',
  maxRevocations: 100_000,
})
await revocations.start({ revoked: () => undefined })
await measure('revocation (revoke)', SESSIONS, () => each(ids, (token) => revocations.revoke({ token }, Date.now() + TTL_MS)))

const bus = new RedisBus(connection, { prefix: 'costs' })
await bus.start('a', { message: () => undefined })
for (const [title, size, count] of [
  ['100 bytes', 100, SESSIONS],
  ['1 MiB', 1_048_576, 100],
] as const) {
  const payload = new Uint8Array(size)
  await measure(`message to a node, ${title}`, count, async () => {
    for (let n = 0; n < count; n++) await bus.send(payload, 'a')
  })
}

console.log(table(['what', 'microseconds of Redis for each', 'bytes of Redis for each'], rows))
for (const port of [sessions, bus, revocations]) port.close()
connection.close()
