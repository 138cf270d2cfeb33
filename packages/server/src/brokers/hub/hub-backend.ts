import type { Duplex } from 'node:stream'
import type { Environment, Log } from '@fusewire/engine'
import type { Backend } from '../backend.ts'
import { BrokerHealth } from '../broker-health.ts'
import { HubBroker } from './hub-broker.ts'
import { HubBus } from './hub-bus.ts'
import { HubCalls } from './hub-calls.ts'
import { HubPresence } from './hub-presence.ts'
import { HubRevocations } from './hub-revocations.ts'
import { HubSessions } from './hub-sessions.ts'

export interface HubBackendOptions {
  /** Identifier of this process. */
  readonly node: string
  readonly environment: Environment
  readonly log: Log
  /** How long the hub may take to answer, in milliseconds. */
  readonly timeoutMs: number
  /** The hub is gone, and does not come back: a worker cannot go on alone. */
  readonly onLost?: () => void
}

/** What a worker has behind it when the workers of its server share an embedded broker: everything goes over this socket. */
export const hubBackend = (
  socket: Duplex,
  { node, environment, log, timeoutMs, onLost }: HubBackendOptions,
): Backend & { close(): void } => {
  const health = new BrokerHealth('hub', environment, log)
  const calls = new HubCalls(socket, {
    health,
    timeoutMs,
    onLost: () => {
      health.away(calls.problem())
      onLost?.()
    },
  })
  // The socket was there before this process.
  health.back()
  const revocations = new HubRevocations(calls, environment)
  return {
    broker: new HubBroker(calls),
    presence: new HubPresence(calls),
    revocations,
    shared: { sessions: new HubSessions(calls, node), bus: new HubBus(calls) },
    problem: () => calls.problem(),
    sweep: () => revocations.sweep(),
    stats: health,
    close: () => calls.close(),
  }
}
