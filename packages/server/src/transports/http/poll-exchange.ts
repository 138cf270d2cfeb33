import type { OutgoingHttpHeaders } from 'node:http'

/** A poll that waits for its answer, wherever its client is connected: all that a polling connection knows of it. */
export interface PollExchange {
  readonly remoteAddress: string
  /** Its client is connected to another node, which says when the answer has arrived. */
  readonly isForwarded?: true
  answer(status: number, headers: OutgoingHttpHeaders, body?: Uint8Array): void
  /** The client's next request is to come on another connection. */
  leave(): void
  destroy(): void
  /** Called once when the poll is over. `complete`: the whole answer has left for the client. */
  onClose(listener: (complete: boolean) => void): void
}
