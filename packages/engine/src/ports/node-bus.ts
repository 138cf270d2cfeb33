import type { Awaitable } from './broker.ts'

export interface NodeBusListener {
  /** A message to this node or to all. */
  message(payload: Uint8Array): void
}

/**
 * Carries messages between nodes, at most once: they are lost where a node is cut off. Messages from one node to another keep their
 * order. Errors MUST be {@link FusewireError}s, `broker_unavailable` when nothing can be sent.
 */
export interface NodeBus {
  /** MUST be called once, before anything else. Messages to `node`, and to all, reach the listener from the moment this answers. */
  start(node: string, listener: NodeBusListener): Awaitable<void>
  /** To one node, or to all others. Nobody is told whether it has arrived. */
  send(payload: Uint8Array, to?: string): Awaitable<void>
  close(): Awaitable<void>
}
