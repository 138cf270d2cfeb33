import { FusewireError, type Member } from '@fusewire/protocol'

/** Who calls: a session's client, or the HTTP API when absent. */
export type RpcCaller = Member

/** Answers a call. A {@link FusewireError} that it throws reaches the caller with its code; any other error is `internal_error`. */
export type RpcHandler = (data: unknown, caller: RpcCaller | undefined) => unknown

/** The methods that the embedding program offers. */
export class RpcRouter {
  readonly #handlers = new Map<string, RpcHandler>()

  add(method: string, handler: RpcHandler): void {
    this.#handlers.set(method, handler)
  }

  has(method: string): boolean {
    return this.#handlers.has(method)
  }

  async call(method: string, data: unknown, caller: RpcCaller | undefined): Promise<unknown> {
    const handler = this.#handlers.get(method)
    if (!handler) throw new FusewireError('method_not_found', `no rpc method ${JSON.stringify(method)}`)
    return handler(data, caller)
  }
}
