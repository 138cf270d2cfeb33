import { findFetch } from '#fetch'

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

export const findPlatform = (given: Platform): Platform => ({
  WebSocket: given.WebSocket ?? globalThis.WebSocket,
  EventSource: given.EventSource ?? globalThis.EventSource,
  fetch: given.fetch ?? findFetch(),
})
