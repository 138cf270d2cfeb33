import { SLOTS } from './hash-slot.ts'
import type { RedisEndpoint } from './redis-address.ts'
import { type RedisAccess, type RedisClient, withRedis, withSentinel } from './redis-client.ts'
import type { RedisReply } from './redis-link.ts'

/** A server that takes writes, and the slots it takes them for: first and last of each range. */
export interface RedisMaster {
  readonly endpoint: RedisEndpoint
  readonly slots: readonly (readonly [number, number])[]
}

export const ALL_SLOTS: RedisMaster['slots'] = [[0, SLOTS - 1]]

/** Asks for the masters. Rejects when nobody tells. */
export type FindMasters = (known: readonly RedisEndpoint[]) => Promise<readonly RedisMaster[]>

const ask =
  (...command: readonly string[]) =>
  (client: RedisClient): Promise<RedisReply> =>
    client.sendCommand<RedisReply>(command)

/** The first of several tries that succeeds; they are made one after the other, so that a cluster that is ill is not asked by all of us at once. */
const first = async <T>(endpoints: readonly RedisEndpoint[], attempt: (endpoint: RedisEndpoint) => Promise<T>): Promise<T> => {
  const errors: unknown[] = []
  for (const endpoint of endpoints) {
    try {
      return await attempt(endpoint)
    } catch (error) {
      errors.push(error)
    }
  }
  throw new AggregateError(errors, errors.map((error) => (error instanceof Error ? error.message : String(error))).join('; '))
}

/** The master that the sentinels agree on. */
export const findSentinelMaster =
  (sentinels: readonly RedisEndpoint[], access: RedisAccess, master: string): FindMasters =>
  () =>
    first(sentinels, async (sentinel) => {
      const reply = await withSentinel(sentinel, access, ask('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master))
      if (!Array.isArray(reply)) throw new Error(`the sentinel at ${sentinel.host}:${sentinel.port} knows no master ${master}`)
      return [{ endpoint: { host: String(reply[0]), port: Number(reply[1]) }, slots: ALL_SLOTS }]
    })

/** The masters of a cluster, as one of its nodes sees them. */
export const findClusterMasters =
  (seeds: readonly RedisEndpoint[], access: RedisAccess): FindMasters =>
  (known) =>
    first([...known, ...seeds], async (node) => {
      const reply = await withRedis(node, access, ask('CLUSTER', 'SLOTS'))
      const masters = readSlots(reply, node)
      if (masters.length === 0) throw new Error(`no slot of the cluster of ${node.host}:${node.port} has a master`)
      return masters
    })

/** CLUSTER SLOTS: ranges with their master, which has no host where it is that of whoever was asked, and replicas. */
const readSlots = (reply: RedisReply, asked: RedisEndpoint): RedisMaster[] => {
  const masters = new Map<string, { endpoint: RedisEndpoint; slots: [number, number][] }>()
  for (const range of Array.isArray(reply) ? (reply as readonly RedisReply[]) : []) {
    if (!Array.isArray(range)) continue
    const [from, to, master] = range as readonly RedisReply[]
    if (!Array.isArray(master)) continue
    const [name, port] = master as readonly RedisReply[]
    const host = typeof name === 'string' && name !== '' && name !== '?' ? name : asked.host
    const key = `${host}:${String(port)}`
    const known = masters.get(key) ?? { endpoint: { host, port: Number(port) }, slots: [] }
    known.slots.push([Number(from), Number(to)])
    masters.set(key, known)
  }
  return [...masters.values()]
}
