import { findFetch } from '#fetch'
import { findPlatform, type Platform, type WebSocketLike } from './platform.ts'
import { createPool, type Pool } from './pool.ts'

/** A platform whose connections are shared with nobody. */
export interface OwnPlatform {
  readonly platform: Platform
  /** Ends its connections. */
  destroy(): Promise<unknown>
}

type NodeWebSocket = new (url: string, options: { protocols: string[]; dispatcher: Pool }) => WebSocketLike

/** Node's WebSocket, which takes its connection from this pool. */
const webSocketOf = (pool: Pool): NonNullable<Platform['WebSocket']> =>
  class extends (globalThis.WebSocket as unknown as NodeWebSocket) {
    constructor(url: string, protocols: string[]) {
      super(url, { protocols, dispatcher: pool })
    }
  }

/**
 * The platform, but that what was not given takes its connections from a pool of its own; undefined where there is none to be had.
 * `#own-platform` is this module, and in bundles for browsers own-platform-browser.ts.
 */
export const createOwnPlatform = (given: Platform): OwnPlatform | undefined => {
  const pool = createPool()
  if (!pool) return undefined
  const platform = findPlatform({
    WebSocket: given.WebSocket ?? (globalThis.WebSocket && webSocketOf(pool)),
    EventSource: given.EventSource,
    fetch: given.fetch ?? findFetch(pool),
  })
  return { platform, destroy: () => pool.destroy() }
}
