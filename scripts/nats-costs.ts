/**
 * Measures what sessions, presence and revocations cost NATS and the node that asks: processor time of both, and memory. Starts a NATS of
 * its own. Run with `node --expose-gc --conditions=@fusewire/source scripts/nats-costs.ts`; the figures are in `docs/nats.md`.
 */
import { readFileSync } from 'node:fs'
import { startNats } from '@fusewire/testkit'
import { NatsStores } from '../packages/server/src/brokers/nats/testing/nats-stores.ts'
import { table } from './markdown.ts'
import { SESSION_CHANNELS, storedSession } from './stored-session.ts'

const SESSIONS = 10_000
const BATCH = 500
const AT_ONCE = 200
const TTL_MS = 600_000
/** Of the clock in `/proc`. */
const TICKS_A_SECOND = 100

const records = Array.from({ length: SESSIONS }, (_, n) => storedSession(n))
const ids = records.map(({ id }) => id)
const rows: string[][] = []

await using nats = await startNats()
const stores = new NatsStores([nats.url])

/** Microseconds of processor time that NATS has taken so far. */
const natsMicros = (): number => {
  const fields = readFileSync(`/proc/${nats.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_A_SECOND
}

const nodeMicros = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}

const measure = async (what: string, count: number, run: () => Promise<unknown>): Promise<void> => {
  const before = [performance.now(), natsMicros(), nodeMicros()] as const
  await run()
  const seconds = (performance.now() - before[0]) / 1000
  rows.push([
    what,
    Math.round(count / seconds).toLocaleString('en'),
    ((natsMicros() - before[1]) / count).toFixed(1),
    ((nodeMicros() - before[2]) / count).toFixed(1),
  ])
}

const batches = async <T>(items: readonly T[], size: number, call: (batch: readonly T[]) => Promise<unknown>): Promise<void> => {
  for (let first = 0; first < items.length; first += size) await call(items.slice(first, first + size))
}

const each = <T>(items: readonly T[], call: (item: T) => Promise<unknown>): Promise<void> =>
  batches(items, AT_ONCE, (batch) => Promise.all(batch.map(call)))

const listener = { lost: () => undefined, due: () => undefined }
const sessions = await stores.sessions('a')
await sessions.start(listener)
await measure('a session is put (connect)', SESSIONS, () => batches(records, BATCH, (batch) => sessions.put(batch, TTL_MS)))
await measure('a session is put again (subscribe)', SESSIONS, () =>
  batches(records, BATCH, (batch) => sessions.put(batch, TTL_MS)),
)
await measure('a session is refreshed', SESSIONS, () => batches(ids, BATCH, (batch) => sessions.refresh(batch, TTL_MS)))

globalThis.gc?.()
const heap = process.memoryUsage().heapUsed
const other = await stores.sessions('b')
await measure('another node reads what is there (start)', SESSIONS, async () => other.start(listener))
globalThis.gc?.()
const bytesOfSession = Math.round((process.memoryUsage().heapUsed - heap) / SESSIONS)

await measure('a session is found', SESSIONS, () => each(ids, (id) => sessions.find(id)))
await measure('a session is taken by another node', SESSIONS, () => each(ids, (id) => other.take(id, TTL_MS)))
await measure('a session is ended (with a trace, two nodes)', SESSIONS, () => batches(ids, BATCH, (batch) => other.remove(batch)))

globalThis.gc?.()
const heapBefore = process.memoryUsage().heapUsed
const presence = await stores.presence('a', TTL_MS)
const members = records.map(({ id, identity: { user } }, n) => ({
  channel: `room:${n % SESSION_CHANNELS}`,
  member: { session: id, ...(user !== undefined && { user }) },
}))
await measure('a member is added', SESSIONS, () => each(members, ({ channel, member }) => presence.add(channel, member)))
await measure('a member is refreshed', SESSIONS, () =>
  each(members, ({ channel, member }) => presence.refresh(channel, [member])),
)
globalThis.gc?.()
const bytesOfMember = Math.round((process.memoryUsage().heapUsed - heapBefore) / SESSIONS)
await measure('a channel of 10 is listed', SESSION_CHANNELS, () =>
  each(
    Array.from({ length: SESSION_CHANNELS }, (_, n) => `room:${n}`),
    (channel) => presence.list(channel),
  ),
)
await measure('one channel is listed, 200 at once', SESSIONS, () => each(ids, () => presence.list('room:1')))
await measure('a member is removed', SESSIONS, () =>
  each(members, ({ channel, member }) => presence.remove(channel, member.session)),
)

const revocations = stores.revocations('a', 100_000)
await revocations.start({ revoked: () => undefined })
await measure('a token is revoked', SESSIONS, () => each(ids, (token) => revocations.revoke({ token }, Date.now() + TTL_MS)))

const { mem } = (await nats.monitor('varz')) as { readonly mem: number }
console.log(table(['what', 'a second', 'µs of NATS', 'µs of the node'], rows))
console.log(
  `A session in the index of a node: ${bytesOfSession} bytes; a member, and what its own node knows of it: ${bytesOfMember} bytes. Memory of NATS at the end: ${Math.round(mem / 1e6)} MB.`,
)
await Promise.all([sessions.close(), other.close(), presence.close(), revocations.close()])
stores.close()
