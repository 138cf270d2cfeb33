import { constants, type Http2Session } from 'node:http2'

/** RFC 9113 section 6.8: the id of a first GOAWAY that closes no stream, not even those which are on their way. */
const NO_LAST_STREAM = 2 ** 31 - 1

const told = new WeakSet<Http2Session>()

/**
 * Asks the client of an HTTP/2 connection to open its next streams on another one, while those that it has go on. A turn later,
 * because a GOAWAY overtakes the data of its turn, and some clients read nothing after it. Idempotent.
 */
export const goAway = (session: Http2Session | undefined): void => {
  if (!session || told.has(session)) return
  told.add(session)
  setImmediate(() => {
    if (!session.closed && !session.destroyed) session.goaway(constants.NGHTTP2_NO_ERROR, NO_LAST_STREAM)
  })
}
