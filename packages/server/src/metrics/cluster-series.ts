import type { ClusterStats } from '../cluster/cluster-stats.ts'
import type { Series } from './series.ts'

export interface ClusterSource {
  readonly stats: ClusterStats
  /** Nodes that this one knows, itself among them. */
  readonly nodes: () => number
  /** Requests of other nodes that were taken, by transport. */
  readonly takenFromOthers: Readonly<Record<string, number>>
}

/** What passes between the nodes. */
export const clusterSeries = ({ stats, nodes, takenFromOthers }: ClusterSource): Series[] => [
  { kind: 'gauge', name: 'fusewire_nodes', help: 'Nodes that this one knows, itself among them.', read: nodes },
  {
    kind: 'counter',
    name: 'fusewire_bus_messages_total',
    help: 'Messages between nodes: sent, not sent because the broker was away, received.',
    label: 'direction',
    read: () => ({ sent: stats.sent, unsent: stats.unsent, received: stats.received }),
  },
  {
    kind: 'counter',
    name: 'fusewire_bus_refusals_total',
    help: 'Received messages that were dropped: of a newer version, malformed, too large, out of order, answers that nobody waits for, and nodes beyond 1,024.',
    label: 'reason',
    read: () => stats.refused,
  },
  {
    kind: 'counter',
    name: 'fusewire_node_calls_total',
    help: 'Questions to other nodes: answered, refused, without an answer in time, or not sent because the broker was away.',
    label: 'outcome',
    read: () => stats.calls,
  },
  {
    kind: 'counter',
    name: 'fusewire_requests_forwarded_total',
    help: "Requests of other nodes' connections that have come here: answered or refused by their node, or failed on the way.",
    label: 'outcome',
    read: () => stats.forwarded,
  },
  {
    kind: 'counter',
    name: 'fusewire_requests_taken_total',
    help: "Requests of this node's connections that have come to other nodes, and were brought here.",
    label: 'transport',
    read: () => takenFromOthers,
  },
]
