import { isHost } from './http1-target.ts'
import type { UpgradeRequest } from './listener-handlers.ts'

const REQUEST_LINE = /^GET (\/[\x21-\x7e]*) HTTP\/1\.1\r\n/

/**
 * Fields as clients write them (RFC 9112 section 5), and the end of the head: not folded, nothing but ASCII in their values. Names with an
 * underscore are left to Node. The blanks around a value are not told from it here: two parts that both take blanks would try every way to
 * share many of them, for a third of a second.
 */
const FIELDS = /(?:[!#$%&'*+.^`|~0-9A-Za-z-]+:[\t\x20-\x7e]*\r\n)+\r\n$/y

const UPGRADE_OPTION = /(?:^|,)[\t ]*upgrade[\t ]*(?:,|$)/i

/**
 * All that counts in a head, for whoever takes it or for what becomes of it: with one of the last four the request has a body, is to be
 * answered before it is read, or has what Node makes a list of even where it comes once.
 */
const NAMES = [
  'host',
  'upgrade',
  'connection',
  'origin',
  'x-forwarded-for',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
  'content-length',
  'transfer-encoding',
  'expect',
  'set-cookie',
] as const

/**
 * Reads a WebSocket handshake (RFC 6455 section 4.1) out of the first bytes of a connection. Undefined for everything else, and for
 * whatever is not as plain as can be: not whole, followed by more, too large, something that counts and comes twice, an unusual character.
 * Node's parser decides about that.
 *
 * A connection that Node's HTTP server has not seen costs a quarter less CPU time, from its begin over an open WebSocket to its end.
 */
export const readUpgrade = (bytes: Buffer, maxHeaderBytes: number): UpgradeRequest | undefined => {
  if (bytes.length > maxHeaderBytes) return undefined
  const text = bytes.toString('latin1')
  const [line, url] = REQUEST_LINE.exec(text) ?? []
  if (line === undefined || url === undefined) return undefined
  const values = readFields(text, line.length)
  if (!values) return undefined
  const [host, upgrade, connection, origin, forwardedFor, key, version, subprotocol, extensions, ...leftToNode] = values
  if (host === undefined || !isHost(host) || !isUpgrade(upgrade, connection)) return undefined
  if (leftToNode.some((value) => value !== undefined)) return undefined
  return {
    method: 'GET',
    url,
    headers: {
      host,
      origin,
      'x-forwarded-for': forwardedFor,
      'sec-websocket-key': key,
      'sec-websocket-version': version,
      'sec-websocket-protocol': subprotocol,
      'sec-websocket-extensions': extensions,
    },
  }
}

/** The values of {@link NAMES}. */
const readFields = (text: string, start: number): (string | undefined)[] | undefined => {
  FIELDS.lastIndex = start
  if (!FIELDS.test(text)) return undefined
  const values: (string | undefined)[] = NAMES.map(() => undefined)
  for (let at = start; at < text.length - 2; ) {
    const colon = text.indexOf(':', at)
    const end = text.indexOf('\r\n', colon)
    // Not a map, which has V8 keep every text that it is asked for: that took a fifth of all here.
    const index = (NAMES as readonly string[]).indexOf(text.slice(at, colon).toLowerCase())
    if (index >= 0) {
      if (values[index] !== undefined) return undefined
      values[index] = text.slice(colon + 1, end).trim()
    }
    at = end + 2
  }
  return values
}

const isUpgrade = (upgrade = '', connection = ''): boolean =>
  upgrade.toLowerCase() === 'websocket' && UPGRADE_OPTION.test(connection)
