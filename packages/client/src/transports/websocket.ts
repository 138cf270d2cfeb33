import { type ClientMessage, PATHS, SUBPROTOCOL } from '@fusewire/protocol'
import { closeFailure, type Failure, lineFailure } from '../failure.ts'
import type { OpenTransport } from './transport.ts'

/** How long `close` waits for the other side's close frame. */
const CLOSE_TIMEOUT_MS = 1_000
const OPEN = 1

export const openWebSocket: OpenTransport = ({ endpoint, codec, platform, hello, listener }) => {
  const socket = new platform.WebSocket(endpoint.replace('http', 'ws') + PATHS.webSocket, [SUBPROTOCOL[codec.name]])
  socket.binaryType = 'arraybuffer'

  const send = (message: ClientMessage): void => {
    const payload = codec.encode(message) as string | Uint8Array<ArrayBuffer>
    if (socket.readyState === OPEN) socket.send(payload)
  }
  const silence = (): void => {
    socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null
  }
  const end = (failure: Failure): void => {
    silence()
    listener.closed(failure)
  }

  socket.onopen = () => send(hello())
  socket.onmessage = ({ data }: MessageEvent) => listener.receive(typeof data === 'string' ? data : new Uint8Array(data))
  socket.onclose = ({ code, reason }: CloseEvent) => end(closeFailure(code, reason))
  // The close event that follows says more, but some platforms send none when the handshake fails.
  socket.onerror = () => setTimeout(() => socket.onclose && end(lineFailure('the WebSocket failed')))

  return {
    send,
    close: async (farewell) => {
      silence()
      if (farewell) send(farewell)
      const wasOpen = socket.readyState === OPEN
      socket.close(1000)
      if (!farewell || !wasOpen) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)
        socket.onclose = () => resolve(clearTimeout(timer))
      })
    },
  }
}
