import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** Headers by which a client offers another protocol (RFC 9110 section 7.8, RFC 7540 section 3.2). */
const OFFERS = new Set(['upgrade', 'http2-settings'])

/**
 * Puts a request back in front of its socket without its offer to upgrade, so that an HTTP/1.1 server takes it for a plain one.
 * For Node before `shouldUpgradeCallback` (22.21, 24.9), which hands every upgrade over and has then let go of the body.
 */
export const replayRequest = (request: IncomingMessage, socket: Socket, head: Buffer): Socket => {
  const { method, url, httpVersion, rawHeaders } = request
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    const value = rawHeaders[i + 1] ?? ''
    if (OFFERS.has(name.toLowerCase())) continue
    // `Connection` names the offer's headers, and may say `close` besides.
    const kept = name.toLowerCase() === 'connection' ? withoutOffers(value) : value
    if (kept !== '') text += `${name}: ${kept}\r\n`
  }
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]))
  return socket
}

const withoutOffers = (connection: string): string =>
  connection
    .split(',')
    .map((option) => option.trim())
    .filter((option) => !OFFERS.has(option.toLowerCase()))
    .join(', ')
