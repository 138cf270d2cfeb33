import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'

/**
 * While a node drains, whose next request should go to another node: those who ask for something to be done. Those who only look keep
 * their connection, and can see how the drain goes; so does whoever has asked for the drain.
 */
export const isToMove = ({ method, url }: IncomingMessage | Http2ServerRequest): boolean =>
  method !== 'GET' && method !== 'HEAD' && url !== '/v1/drain'
