import { fetchFailure } from './fetch-failure.ts'
import { type Pool, sharedPool } from './pool.ts'

/**
 * What makes the requests of this pool over HTTP/1.1, whatever it would choose.
 *
 * Over HTTP/2 a request that is given up while its body is on its way can be the last thing that a process does. undici 8, which Node 26
 * has inside, closes the stream with NO_ERROR, for which Node waits until the body has left, and destroys it at once
 * (https://github.com/nodejs/undici/pull/5559). So it is never reset, and `Http2Stream::Provider::Stream::OnRead` of Node's node_http2.cc
 * answers nghttp2, which asks for the rest of the body, with nothing instead of its end: empty DATA frames are made until memory is full.
 */
const overHttp1 = (pool: Pool): Pool =>
  Object.create(pool, {
    dispatch: { value: (options: object, handler: unknown) => pool.dispatch({ ...options, allowH2: false }, handler) },
  })

/**
 * Node's own fetch, with the connections of this pool or else of the one that is shared, and with words for why a request has failed.
 * `#fetch` is this module, but for browsers.
 */
export const findFetch = (own?: Pool): ((url: string, init: RequestInit) => Promise<Response>) | undefined =>
  globalThis.fetch &&
  (async (url, init) => {
    const pool = own ?? sharedPool()
    try {
      return await globalThis.fetch(url, pool ? ({ ...init, dispatcher: overHttp1(pool) } as RequestInit) : init)
    } catch (error) {
      throw fetchFailure(error, url) ?? error
    }
  })
