import { setTimeout as delay } from 'node:timers/promises'
import { ConfigurationError, type ConfigurationProblem } from '../../config/configuration-error.ts'
import { askSpeaker } from '../speaker.ts'
import { parseRedisAddress, type RedisMode } from './redis-address.ts'
import { type Finding, probeRedis } from './redis-probe.ts'

export interface ReachOptions {
  /** Addresses without `redisAddressProblem`. */
  readonly addresses: readonly string[]
  readonly mode: RedisMode
  /** Name of the master that the sentinels watch. */
  readonly master: string
  /** Certificates (PEM) of the authorities that servers are checked against, in place of the system's. */
  readonly ca?: string
  /** How long it may take, in milliseconds. */
  readonly timeoutMs: number
}

const LOOK_AGAIN_MS = 200
/** What is there and not Redis answers at once, if at all. */
const SPEAKER_MS = 500

/**
 * Waits until one of the addresses is what it is said to be. Whether Redis drops keys when its memory is full is the answer.
 * @throws ConfigurationError when it is something else, or cannot be reached in time: a line for each address, without its password.
 */
export const reachRedis = async (options: ReachOptions): Promise<{ readonly evicts: boolean }> => {
  const deadline = performance.now() + options.timeoutMs
  for (;;) {
    const findings = await Promise.all(options.addresses.map((address) => probe(address, options)))
    const fine = findings.find((finding) => finding.kind === 'fine')
    if (fine) return { evicts: fine.evicts }
    const mayPass = findings.some((finding) => finding.kind === 'wrong' && finding.mayPass)
    if (!mayPass || performance.now() + LOOK_AGAIN_MS > deadline)
      throw new ConfigurationError((await Promise.all(findings.map(problemsOf(options)))).flat())
    await delay(LOOK_AGAIN_MS)
  }
}

const probe = (address: string, { mode, master, ca, timeoutMs }: ReachOptions): Promise<Finding> => {
  const { host, port, ...access } = parseRedisAddress(address, mode)
  return probeRedis({ host, port }, { ...access, ...(ca !== undefined && { ca }), timeoutMs }, { mode, master })
}

const problemsOf =
  ({ addresses, mode }: ReachOptions) =>
  async (finding: Finding, index: number): Promise<ConfigurationProblem[]> => {
    if (finding.kind === 'fine') return []
    const address = addresses[index] ?? ''
    const speaker = await askSpeaker(parseRedisAddress(address, mode), SPEAKER_MS)
    const message = speaker === undefined || speaker === 'a Redis' ? finding.message : `is ${speaker}; correct the address`
    return [{ option: `broker[${index}]`, message: `${withoutUser(address, mode)} ${message}` }]
  }

/** The address as it may be shown. */
const withoutUser = (address: string, mode: RedisMode): string => {
  const { host, port, tls } = parseRedisAddress(address, mode)
  return `${tls ? 'rediss' : 'redis'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
