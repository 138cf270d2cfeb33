import { eventually, type Random } from '@fusewire/testkit'
import { BROKER_TIMEOUT_MS, type BrokerFault, type BrokerServers } from './broker-servers.ts'
import type { ClusterNodes } from './nodes.ts'
import { SESSION_TTL_MS } from './play.ts'

/** What befalls a cluster. */
export interface ClusterFault {
  readonly name: string
  /** It befalls the broker alone: clients must not notice more than that publishing fails. */
  readonly isOfBroker: boolean
  /** Resolves when it is over. */
  strike(nodes: ClusterNodes, random: Random): Promise<void>
}

const ofNode = (name: string, strike: (nodes: ClusterNodes, index: number, random: Random) => Promise<void>): ClusterFault => ({
  name,
  isOfBroker: false,
  strike: (nodes, random) => strike(nodes, random.integer(0, nodes.count - 1), random),
})

/** Shorter and longer than the TTL of sessions. */
export const NODE_FAULTS = {
  killed: ofNode('a node is killed, and another comes', (nodes, index) => nodes.replace(index)),
  blink: ofNode('a node stands still for less than the TTL of sessions', (nodes, index, random) =>
    nodes.suspend(index, random.integer(200, SESSION_TTL_MS / 2)),
  ),
  sleep: ofNode('a node stands still for longer than the TTL of sessions', (nodes, index) =>
    nodes.suspend(index, SESSION_TTL_MS + 3_000),
  ),
} as const

const cut = (how: 'reset' | 'silent', name: string): ClusterFault => ({
  name,
  isOfBroker: true,
  strike: (nodes, random) => nodes.cutOff(random.integer(0, nodes.count - 1), random.integer(300, 2 * BROKER_TIMEOUT_MS), how),
})

/** Where a proxy can stand between a node and the broker. */
export const CUTS: readonly ClusterFault[] = [
  cut('reset', 'a node is cut off from the broker'),
  cut('silent', 'a node is cut off from the broker without a word'),
]

const ofBroker = ({ name, strike }: BrokerFault): ClusterFault => ({
  name,
  isOfBroker: true,
  strike: (_nodes, random) => strike(random),
})

const named = ({ faults }: BrokerServers, name: string): BrokerFault => {
  const fault = faults.find((each) => each.name === name)
  if (!fault) throw new Error(`no fault "${name}"`)
  return fault
}

/** What can befall the broker, at every node at once. */
export const brokerFaults = ({ faults }: BrokerServers): ClusterFault[] => faults.map(ofBroker)

/** One of them. */
export const brokerFault = (broker: BrokerServers, name: string): ClusterFault => ofBroker(named(broker, name))

/** The broker stands still until every node has said that it is not ready. */
export const awayAndTold = (broker: BrokerServers, name: string): ClusterFault => {
  const fault = named(broker, name)
  return {
    name: `${name}, and readiness says so`,
    isOfBroker: true,
    strike: (nodes, random) => {
      const told = eventually(
        async () => {
          const statuses = await Promise.all(Array.from({ length: nodes.count }, (_, index) => nodes.readiness(index)))
          return statuses.every((status) => status === 503)
        },
        { timeoutMs: 30_000, intervalMs: 20 },
      )
      return fault.strike(
        random,
        told.then(() => undefined),
      )
    },
  }
}
