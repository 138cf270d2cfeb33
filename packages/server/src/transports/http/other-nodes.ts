/** What a client has sent on a split connection, as it goes from the node that it has reached to the one that has the connection. */
export interface ForwardedSend {
  readonly connection: string
  readonly seq: number
  /** As it came. */
  readonly body: Uint8Array
}

/** The answer to a poll of another node's connection. */
export interface ForwardedPoll {
  readonly body: Uint8Array
  /** MUST be called once: whether the whole answer has left this process for the client. */
  ended(complete: boolean): void
}

/** The way to the nodes that have connections whose requests come here. Refusals are {@link FusewireError}s. */
export interface OtherNodes {
  /** Throws `unknown_connection` when that node is gone, and something retryable when it cannot be reached or nobody knows. */
  assertHere(node: string): void
  send(node: string, request: ForwardedSend): Promise<void>
  /** Waits for messages until the signal says that the client has gone away. */
  poll(node: string, connection: string, signal: AbortSignal): Promise<ForwardedPoll>
}

/** What this node does for requests of its connections that have come to other nodes. Refusals are {@link FusewireError}s. */
export interface ConnectionOwner {
  send(request: ForwardedSend): void
  /** Waits for the messages of a connection. `poll` is another one for each poll. */
  poll(connection: string, poll: string): Promise<Uint8Array>
  /** The client has got the answer, has not, or has gone away before; nothing happens when the poll is not known. */
  ended(poll: string, complete: boolean): void
  /** No more will be heard of the polls whose names begin so. */
  lost(prefix: string): void
}
