import { PATHS } from '@fusewire/protocol'
import { lineFailure } from '../failure.ts'
import { asFailure, assertFusewire, NOT_FUSEWIRE, post } from './http.ts'
import { SplitTransport } from './split-transport.ts'
import type { OpenTransport, TransportRequest } from './transport.ts'

const run = async (transport: SplitTransport, { platform, endpoint, hello, codec }: TransportRequest): Promise<void> => {
  for (let body = codec.encode(hello()) as string; !transport.isEnded; body = '') {
    const query = body ? '' : `?connection=${transport.connection}`
    const response = await post(platform, endpoint + PATHS.poll + query, body, { signal: transport.signal })
    assertFusewire(response)
    transport.hear(await response.text())
    // Every first answer opens a connection.
    if (!transport.connection) throw lineFailure(NOT_FUSEWIRE)
  }
}

/** One POST after another, each answered when there is something to tell. */
export const openPoll: OpenTransport = (request) => {
  const transport = new SplitTransport(request)
  run(transport, request).catch((cause) => transport.fail(asFailure(cause)))
  return transport
}
