import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { isIPv4 } from 'node:net'

const isLoopbackAddress = (address: string): boolean => {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'))
}

const isLoopbackHost = (host: string): boolean => {
  const name = host.replace(/:\d+$/, '').toLowerCase()
  return name === 'localhost' || name.endsWith('.localhost') || isLoopbackAddress(name.replace(/^\[(.*)\]$/, '$1'))
}

const remoteAddress = (request: IncomingMessage | Http2ServerRequest): string | undefined => {
  try {
    return request.socket.remoteAddress
  } catch {
    // The socket of an HTTP/2 request throws once its session has ended.
    return undefined
  }
}

const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const

/**
 * True when a program on this machine asks this machine by a loopback name: neither through a proxy that stands here for others,
 * nor from a web page whose domain was pointed at 127.0.0.1 (DNS rebinding).
 */
export const isLocalRequest = (request: IncomingMessage | Http2ServerRequest): boolean => {
  const address = remoteAddress(request)
  const { headers } = request
  const host = headers.host ?? headers[':authority']
  return (
    address !== undefined &&
    isLoopbackAddress(address) &&
    typeof host === 'string' &&
    isLoopbackHost(host) &&
    PROXY_HEADERS.every((name) => headers[name] === undefined)
  )
}
