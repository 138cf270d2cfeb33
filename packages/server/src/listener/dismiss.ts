import { ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import { goAway } from './go-away.ts'

/** Asks the client of this request to send its next one on another connection. */
export const dismiss = (response: ServerResponse | Http2ServerResponse): void => {
  if (response instanceof ServerResponse) response.setHeader('connection', 'close')
  else goAway(response.stream.session)
}
