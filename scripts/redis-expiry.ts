/**
 * Measures how late Redis tells of keys that have expired, and how late the end of sessions is told whose node has died, with and
 * without that. Starts Redis servers of its own; takes two minutes and a half.
 * Run with `node --conditions=@fusewire/source scripts/redis-expiry.ts`; the figures are in `docs/redis.md`.
 */
import type { Hooks } from '@fusewire/engine'
import { EngineHarness, FakeEnvironment, noHooks, type RedisServer, startRedis } from '@fusewire/testkit'
import { createClient } from '@redis/client'
import { RedisSessions } from '../packages/server/src/brokers/redis/redis-sessions.ts'
import { connectTo } from '../packages/server/src/brokers/redis/testing/redis-kinds.ts'
import { table } from './markdown.ts'
import { storedSession } from './stored-session.ts'

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const BATCH = 1000
const HOUR_MS = 3_600_000

/** Each key expires at its time. */
const setKeys = async (redis: RedisServer, ends: Iterable<readonly [key: string, at: number]>): Promise<void> => {
  const client = await createClient({ url: redis.url }).connect()
  let batch: Promise<unknown>[] = []
  for (const [key, at] of ends) {
    batch.push(client.set(key, '', { PXAT: at }))
    if (batch.length < BATCH) continue
    await Promise.all(batch)
    batch = []
  }
  await Promise.all(batch)
  client.destroy()
}

const livingKeys = function* (count: number): Iterable<readonly [string, number]> {
  for (let n = 0; n < count; n++) yield [`living:${n}`, Date.now() + HOUR_MS]
}

/** Median, the 99th of a hundred, and how many there are. */
const lateness = (late: readonly number[], count: number): string[] => {
  const sorted = [...late].sort((one, other) => one - other)
  const at = (share: number): string => {
    const value = sorted[Math.ceil(share * count) - 1]
    return value === undefined ? 'never' : `${value} ms`
  }
  return [at(0.5), at(0.99), `${late.length} of ${count}`]
}

interface Keys {
  readonly dying: number
  /** Keys with a TTL that does not end. */
  readonly living: number
  /** Over this time the ends are spread evenly, in milliseconds. */
  readonly spreadMs: number
  readonly hz: number
  readonly effort: number
}

const WATCH_MS = 20_000

/** How late Redis tells. */
const measureKeys = async ({ dying, living, spreadMs, hz, effort }: Keys): Promise<string[]> => {
  const config = { 'notify-keyspace-events': 'Ex', hz: String(hz), 'active-expire-effort': String(effort) }
  await using redis = await startRedis({ config })
  await setKeys(redis, livingKeys(living))
  const begin = Date.now() + 3000
  const ends = new Map(Array.from({ length: dying }, (_, n) => [`dying:${n}`, begin + Math.floor((spreadMs * n) / dying)]))
  await setKeys(redis, ends)
  const listener = await createClient({ url: redis.url }).connect()
  const late: number[] = []
  await listener.subscribe('__keyevent@0__:expired', (key) => {
    const end = ends.get(key)
    if (end !== undefined) late.push(Date.now() - end)
  })
  await wait(begin - Date.now() + spreadMs + WATCH_MS)
  listener.destroy()
  return [dying, living, `${spreadMs / 1000} s`, hz, effort, ...lateness(late, dying)].map(String)
}

interface Ends {
  readonly living: number
  /** Keys of others with a TTL that does not end. */
  readonly others: number
  readonly events: '' | 'Kx'
}

const NODES = 2
const DYING = 200
const SESSION_TTL_MS = 60_000
/** As the engine has it. */
const REFRESH_MS = SESSION_TTL_MS / 3
const TTL_MS = SESSION_TTL_MS + REFRESH_MS + 1000
const TICK_MS = 250

/** Nodes sweep at moments of their own. */
class ByChance extends FakeEnvironment {
  override random(): number {
    return Math.random()
  }
}

/** How late the application is told of the end of sessions whose node has died, while two nodes keep theirs. */
const measureEnds = async ({ living, others, events }: Ends): Promise<string[]> => {
  await using redis = await startRedis({ config: { 'notify-keyspace-events': events } })
  await setKeys(redis, livingKeys(others))
  const ends = new Map<string, number>()
  const late: number[] = []
  const hooks: Hooks = {
    ...noHooks,
    takes: (event) => event === 'disconnect',
    tell: (notice) => {
      if (notice.event === 'disconnect') late.push(Date.now() - (ends.get(notice.session ?? '') ?? 0))
    },
  }
  const nodes = await Promise.all(
    Array.from({ length: NODES }, async (_, index) => {
      const connection = connectTo({ mode: 'standalone', urls: [redis.url] })
      const node = `node${index}`
      const sessionStore = new RedisSessions(connection, { node, prefix: 'expiry', alarmLeadMs: SESSION_TTL_MS / 2 })
      const environment = new ByChance()
      const { engine } = await EngineHarness.start({
        node,
        environment,
        sessionStore,
        hooks,
        limits: { sessionTtlMs: SESSION_TTL_MS },
      })
      const records = Array.from({ length: living / NODES }, (_, n) => ({ ...storedSession(n), id: `${node}-${n}` }))
      return { connection, sessionStore, environment, engine, records }
    }),
  )
  const dead = new RedisSessions(connectTo({ mode: 'standalone', urls: [redis.url] }), { node: 'dead', prefix: 'expiry' })
  await dead.start({ lost: () => undefined, due: () => undefined })
  dead.close()
  for (const { sessionStore, records } of nodes) await sessionStore.put(records, TTL_MS)

  const began = Date.now()
  let ticked = began
  let [refreshed, died] = [0, 0]
  const asked: Promise<unknown>[] = []
  const tick = (): void => {
    const now = Date.now()
    const share = (now - began) / REFRESH_MS
    for (const { environment, engine, records, sessionStore } of nodes) {
      environment.advance(now - ticked)
      engine.tick()
      const [from, to] = [refreshed * records.length, share * records.length].map(Math.floor) as [number, number]
      const ids = Array.from({ length: to - from }, (_, n) => records[(from + n) % records.length]?.id ?? '')
      asked.push(sessionStore.refresh(ids, TTL_MS))
    }
    for (; died < Math.min(1, share) * DYING; died++) {
      const record = { ...storedSession(died), id: `dying-${died}`, subscriptions: [] }
      ends.set(record.id, now + TTL_MS)
      asked.push(dead.put([record], TTL_MS))
    }
    ticked = now
    refreshed = share
  }
  const timer = setInterval(tick, TICK_MS)
  await wait(TTL_MS + REFRESH_MS + 5000)
  clearInterval(timer)
  await Promise.all(asked)
  for (const { engine, connection } of nodes) {
    await engine.close()
    connection.close()
  }
  return [events === '' ? 'off' : events, living, others, ...lateness(late, DYING)].map(String)
}

const keys = (living: number, hz: number, effort: number, spreadMs = 10_000, dying = 100): Promise<string[]> =>
  measureKeys({ dying, living, spreadMs, hz, effort })

const told = await Promise.all([
  keys(0, 10, 1, 0, 1),
  keys(0, 10, 1),
  keys(1000, 10, 1),
  keys(10_000, 10, 1),
  keys(10_000, 10, 1, 0),
  keys(10_000, 10, 1, 0, 10_000),
  keys(100_000, 10, 1),
  keys(10_000, 10, 10),
  keys(10_000, 100, 1),
  keys(10_000, 100, 10),
  keys(100_000, 100, 10),
])
console.log(table(['keys', 'among', 'ends within', 'hz', 'effort', 'p50', 'p99', 'told'], told))
const sizes = [
  [10, 0],
  [1000, 1000],
  [10_000, 10_000],
  [10_000, 100_000],
] as const
const ended = await Promise.all(
  (['', 'Kx'] as const).flatMap((events) => sizes.map(([living, others]) => measureEnds({ living, others, events }))),
)
console.log(table(['events', 'living sessions', 'other keys', 'p50', 'p99', 'told'], ended))
process.exit()
