import type { Pool } from './pool.ts'

/** As much of a WebSocket as the client uses, so that `WebSocket`, undici's and `ws` fit. */
export interface WebSocketLike {
  readonly readyState: number
  binaryType: string
  onopen: unknown
  onmessage: unknown
  onclose: unknown
  onerror: unknown
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number): void
}

/** As much of an EventSource as the client uses. */
export interface EventSourceLike {
  onmessage: unknown
  onerror: unknown
  close(): void
}

/** What the platform has, or what was injected where it has none. */
export interface Platform {
  readonly WebSocket?: (new (url: string, protocols: string[]) => WebSocketLike) | undefined
  readonly EventSource?: (new (url: string) => EventSourceLike) | undefined
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined
}

type NodeWebSocket = new (url: string, options: { protocols: string[]; dispatcher: Pool }) => WebSocketLike

/** Node's WebSocket, which takes its connection from this pool. */
const webSocketOf = (pool: Pool): NonNullable<Platform['WebSocket']> =>
  class extends (globalThis.WebSocket as unknown as NodeWebSocket) {
    constructor(url: string, protocols: string[]) {
      super(url, { protocols, dispatcher: pool })
    }
  }

/** With a pool, what is not given takes its connections from there. */
export const findPlatform = (given: Platform, pool?: Pool): Platform => ({
  WebSocket: given.WebSocket ?? (pool && globalThis.WebSocket ? webSocketOf(pool) : globalThis.WebSocket),
  EventSource: given.EventSource ?? globalThis.EventSource,
  // Wrapped, because a browser's `fetch` must not be called as a method of another object.
  fetch:
    given.fetch ?? (globalThis.fetch && ((url, init) => globalThis.fetch(url, { ...init, ...(pool && { dispatcher: pool }) }))),
})
