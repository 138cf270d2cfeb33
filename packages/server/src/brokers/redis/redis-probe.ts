import type { RedisEndpoint, RedisMode } from './redis-address.ts'
import { isErrorReply, type RedisAccess, type RedisClient, withRedis, withSentinel } from './redis-client.ts'
import { explainRedis } from './redis-problem.ts'

export interface ProbeOptions {
  readonly mode: RedisMode
  /** Name of the master that the sentinels watch. */
  readonly master: string
}

/** What a server turns out to be before it is used. */
export type Finding =
  | { readonly kind: 'fine'; readonly evicts: boolean }
  /** `message` follows the address. One that `mayPass` is worth another look: a server that is just starting looks like it. */
  | { readonly kind: 'wrong'; readonly message: string; readonly mayPass: boolean }

const wrong = (message: string, mayPass = false): Finding => ({ kind: 'wrong', message, mayPass })

const OLDEST_MAJOR = 7

/** Looks at a server that an address names. Never rejects. */
export const probeRedis = async (endpoint: RedisEndpoint, access: RedisAccess, options: ProbeOptions): Promise<Finding> => {
  const { mode } = options
  const reach = mode === 'sentinel' ? withSentinel : withRedis
  try {
    return await reach(endpoint, access, (client) => look(client, options))
  } catch (error) {
    const { message, mayPass } = explainRedis(error, access)
    return wrong(message, mayPass)
  }
}

const look = async (client: RedisClient, options: ProbeOptions): Promise<Finding> => {
  const { mode } = options
  const server = await info(client, 'server')
  const version = field(server, 'redis_version')
  if (version !== undefined && Number.parseInt(version, 10) < OLDEST_MAJOR)
    return wrong(`is Redis ${version}; ${OLDEST_MAJOR}.0 or newer is needed, for its functions`)
  const is = field(server, 'redis_mode')
  if (is !== undefined && is !== mode) return wrong(MISTAKEN[`${mode} ${is}`] ?? `is of mode ${is}, and redisMode is ${mode}`)
  if (mode === 'sentinel') return lookAtSentinel(client, options.master)
  if (mode === 'cluster') {
    const state = await ask(client, ['CLUSTER', 'INFO'])
    if (field(state, 'cluster_state') === 'fail')
      return wrong('is of a cluster that is not whole: some slots have no server', true)
  } else if (field(await info(client, 'replication'), 'role') === 'slave')
    return wrong('is a replica, which takes no writes; give the address of its master, or set redisMode to sentinel')
  const memory = await info(client, 'memory')
  const evicts = field(memory, 'maxmemory') !== '0' && field(memory, 'maxmemory_policy') !== 'noeviction'
  return { kind: 'fine', evicts: memory !== '' && evicts }
}

const lookAtSentinel = async (client: RedisClient, master: string): Promise<Finding> => {
  const reply = await client.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master])
  if (Array.isArray(reply)) return { kind: 'fine', evicts: false }
  return wrong(`is a sentinel that knows no master of the name ${master}; set redisMaster to the one that it watches`)
}

/** By what the option says, and what the server is. */
const MISTAKEN: Readonly<Record<string, string>> = {
  'standalone cluster': 'is a server of a Redis Cluster; set redisMode to cluster',
  'standalone sentinel': 'is a sentinel; set redisMode to sentinel',
  'cluster standalone': 'is no server of a Redis Cluster; leave redisMode out, or give the address of one that is',
  'cluster sentinel': 'is a sentinel; set redisMode to sentinel',
  'sentinel standalone': 'is no sentinel, whose usual port is 26379; correct the address, or leave redisMode out',
  'sentinel cluster': 'is a server of a Redis Cluster; set redisMode to cluster',
}

const info = (client: RedisClient, section: string): Promise<string> => ask(client, ['INFO', section])

/** Empty where the user may not ask. */
const ask = async (client: RedisClient, command: readonly string[]): Promise<string> => {
  try {
    return String(await client.sendCommand(command))
  } catch (error) {
    if (isErrorReply(error) && error.message.startsWith('NOPERM')) return ''
    throw error
  }
}

const field = (text: string, name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'mu').exec(text)?.[1]
