import type { ClientOptions } from '@fusewire/client'
import { Agent, fetch, WebSocket } from 'undici'

/** Connections that no other client of this process shares, as those of a client on a machine of its own. */
export const ownLines = (): Pick<ClientOptions, 'fetch' | 'WebSocket'> & { close(): Promise<void> } => {
  const dispatcher = new Agent({ allowH2: true })
  class OwnWebSocket extends WebSocket {
    constructor(url: string | URL, protocols: string | string[] = []) {
      super(url, { protocols, dispatcher })
    }
  }
  return {
    // undici's types and Node's own describe the same standard twice.
    fetch: (url, init) => fetch(url, { ...(init as object), dispatcher }) as unknown as Promise<Response>,
    WebSocket: OwnWebSocket,
    close: () => dispatcher.destroy(),
  }
}
