import { STATUS_CODES } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { FusewireError } from '@fusewire/protocol'
import { errorAnswer } from '../error-answer.ts'

/** How long a refused client may take to read its answer and close. */
const LINGER_MS = 2000

/** A socket that is being given up has nothing left to say. */
export const ignoreError = (): void => {}

/**
 * Sends the last bytes of a connection, then waits a little for the other side to close. To close at once would make the kernel
 * answer bytes that are still on their way with a reset, and that can take the answer out of the client's hands.
 */
export const endAndLinger = (socket: Duplex, bytes: string | Uint8Array): void => {
  socket.on('error', ignoreError)
  const deadline = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(deadline))
  socket.end(bytes)
  socket.resume()
}

/** Answers with an HTTP/1.1 error response and ends the connection: for a socket that no HTTP server looks after. */
export const refuse = (socket: Duplex, error: FusewireError, headers: Readonly<Record<string, string>> = {}): void => {
  const { status, body } = errorAnswer(error)
  const lines = Object.entries({
    ...headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  endAndLinger(socket, `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`)
}

/** Answers a request on a stream of HTTP/2 with an error response. */
export const refuseStream = (
  stream: ServerHttp2Stream,
  error: FusewireError,
  headers: Readonly<Record<string, string>> = {},
): void => {
  if (stream.destroyed || stream.closed) return
  const { status, body } = errorAnswer(error)
  stream.on('error', ignoreError)
  stream.respond({ ...headers, ':status': status, 'content-type': 'application/json' })
  stream.end(body)
}
