import type { ClientOptions } from '@fusewire/client'
import { Agent, fetch, WebSocket } from 'undici'

/** Connections that no other client of this process shares, as those of a client on a machine of its own. */
export const ownLines = (): Pick<ClientOptions, 'fetch' | 'WebSocket'> & { close(): Promise<void> } => {
  const dispatcher = new Agent({ allowH2: true })
  // As the SDK has it of Node's own fetch: a request that is given up may end the process over HTTP/2.
  const requests = new Agent({ allowH2: false })
  class OwnWebSocket extends WebSocket {
    constructor(url: string | URL, protocols: string | string[] = []) {
      super(url, { protocols, dispatcher })
    }
  }
  return {
    // undici's types and Node's own describe the same standard twice.
    fetch: (url, init) => fetch(url, { ...(init as object), dispatcher: requests }) as unknown as Promise<Response>,
    WebSocket: OwnWebSocket,
    close: async () => {
      await dispatcher.destroy()
      await requests.destroy()
    },
  }
}
