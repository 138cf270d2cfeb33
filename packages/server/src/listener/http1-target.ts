import type { IncomingMessage } from 'node:http'
import { FusewireError } from '@fusewire/protocol'

/** A host and, where there is one, its port (RFC 3986 sections 3.2.2 and 3.2.3). */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i

/** What clients send to proxies, and every server has to understand (RFC 9112 section 3.2.2). */
const ABSOLUTE_FORM = /^(?:https?|wss?):\/\/([^/?#]+)([^#]*)$/i

const malformed = (message: string): FusewireError => new FusewireError('malformed_request', message)

export const isHost = (value: string): boolean => HOST.test(value)

/**
 * Leaves the request with a path as its `url`, and with the `Host` that counts: that of the target where it has one (RFC 9112 section
 * 3.2.2). Returns what is wrong with either, such as no `Host`, or two of them (section 3.2).
 */
export const settleTarget = (request: IncomingMessage): FusewireError | undefined => {
  const { headers, httpVersion, url = '' } = request
  if (headers.host === undefined && httpVersion === '1.1') return malformed('a request of HTTP/1.1 must have a Host')
  if (hasTwoHosts(request)) return malformed('a request has one Host')
  if (!url.startsWith('/') && url !== '*') {
    const [, host, path = ''] = ABSOLUTE_FORM.exec(url) ?? []
    if (host === undefined) return malformed('the target of a request is a path, or a URL of http, https, ws or wss')
    request.url = path.startsWith('/') ? path : `/${path}`
    headers.host = host
  }
  return isHost(headers.host ?? '') ? undefined : malformed('Host is not a host and a port')
}

/** Node keeps the first of several. */
const hasTwoHosts = ({ rawHeaders }: IncomingMessage): boolean => {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts > 1
}
