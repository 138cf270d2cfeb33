/** Why something that came over the bus was dropped. */
export type BusRefusalReason = 'version' | 'malformed' | 'too_large' | 'out_of_order' | 'too_many_nodes' | 'unasked'

/** What has passed between the nodes. Plain numbers: incremented where it happens, read when metrics are scraped. */
export interface ClusterStats {
  sent: number
  /** That could not be sent. */
  unsent: number
  received: number
  readonly refused: Record<BusRefusalReason, number>
  /** Calls to other nodes, by what came of them. */
  readonly calls: Record<'answered' | 'refused' | 'timeout' | 'unsent', number>
  /** Requests of split connections that this node has handed on to their owner, by what came of them. */
  readonly forwarded: Record<'answered' | 'refused' | 'failed', number>
}

export const createClusterStats = (): ClusterStats => ({
  sent: 0,
  unsent: 0,
  received: 0,
  refused: { version: 0, malformed: 0, too_large: 0, out_of_order: 0, too_many_nodes: 0, unasked: 0 },
  calls: { answered: 0, refused: 0, timeout: 0, unsent: 0 },
  forwarded: { answered: 0, refused: 0, failed: 0 },
})
