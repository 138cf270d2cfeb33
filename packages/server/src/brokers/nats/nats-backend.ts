import { FusewireError } from '@fusewire/protocol'
import { ConfigurationError } from '../../config/configuration-error.ts'
import type { FusewireOptions } from '../../config/options.ts'
import { readOptionFile } from '../../config/read-option-file.ts'
import type { Backend, BackendContext } from '../backend.ts'
import { BrokerHealth } from '../broker-health.ts'
import { brokerName } from '../broker-name.ts'
import { presenceTtlOf } from '../presence-ttl.ts'
import { KvBucket } from './kv-bucket.ts'
import { kvToken } from './kv-key.ts'
import { LeaderWatch } from './leader-watch.ts'
import { parseNatsAddresses } from './nats-address.ts'
import { NatsBroker } from './nats-broker.ts'
import { NatsBus } from './nats-bus.ts'
import { NatsLink } from './nats-link.ts'
import { NatsPresence } from './nats-presence.ts'
import { NatsRevocations } from './nats-revocations.ts'
import { NatsSessions } from './nats-sessions.ts'
import { ServerClock } from './server-clock.ts'

const DAY_MS = 86_400_000

/** What buckets keep although nobody writes it again: at least so long, and so many TTLs of a session. */
const LEAST_MAX_AGE_MS = 7 * DAY_MS
const MAX_AGE_TTLS = 8

/** Everything that nodes share, in NATS with JetStream, over one connection. */
export const natsBackend = (options: FusewireOptions, { node, environment, log }: BackendContext): Backend => {
  const { brokerPrefix: prefix, brokerTimeoutMs: timeoutMs, natsReplicas: replicas, sessionTtlMs } = options
  const { natsCredentialsFile: credentialsFile, brokerCaFile: caFile, idempotencyTtlMs, maxRevocations } = options
  // They are read at each connection; here, so that a wrong path is told as such.
  if (credentialsFile !== undefined) readOptionFile(credentialsFile, 'natsCredentialsFile')
  if (caFile !== undefined) readOptionFile(caFile, 'brokerCaFile')
  const health = new BrokerHealth('nats', environment, log)
  const link = new NatsLink(
    {
      addresses: parseNatsAddresses(options.broker),
      timeoutMs,
      name: `fusewire ${node}`,
      meter: health,
      ...(credentialsFile !== undefined && { credentialsFile }),
      ...(caFile !== undefined && { caFile }),
    },
    environment.random,
  )
  const maxAgeMs = Math.max(LEAST_MAX_AGE_MS, MAX_AGE_TTLS * sessionTtlMs)
  const bucket = (name: string): KvBucket => {
    const made = new KvBucket(link, `${kvToken(prefix)}-${name}`, { replicas, maxAgeMs })
    link.use({ prepare: (session) => made.ensure(session) })
    return made
  }
  link.use({
    back: () => {
      health.reconnects++
      leader.sweep()
    },
    away: (problem) => {
      leader.doubt(problem)
      health.away(problem)
    },
  })
  const clock = new ServerClock(environment)
  const broker = new NatsBroker(link, environment, { prefix, replicas, idempotencyTtlMs })
  const leader = new LeaderWatch(link, () => broker.askLeader(), health)
  const sessions = new NatsSessions(link, bucket('sessions'), clock, { node })
  const presence = new NatsPresence(link, bucket('presence'), clock, { node, ttlMs: presenceTtlOf(sessionTtlMs) })
  const revocations = new NatsRevocations(link, bucket('revocations'), clock, environment, { node, maxRevocations })
  const swept = [broker, sessions, presence, revocations, leader]
  return {
    broker,
    presence,
    revocations,
    shared: { sessions, bus: new NatsBus(link, brokerName(prefix)) },
    stats: health,
    open: async () => {
      try {
        await link.open()
      } catch (error) {
        if (!(error instanceof FusewireError)) throw error
        throw new ConfigurationError([{ option: 'broker', message: error.message }], { cause: error })
      }
      health.back()
    },
    problem: () => link.problem() ?? leader.problem(),
    sweep: () => {
      if (link.isUp) for (const store of swept) store.sweep()
    },
    close: () => link.close(),
  }
}
