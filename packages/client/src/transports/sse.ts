import { PATHS } from '@fusewire/protocol'
import { lineFailure } from '../failure.ts'
import type { EventSourceLike } from '../platform.ts'
import { SplitTransport } from './split-transport.ts'
import type { OpenTransport } from './transport.ts'

/** An EventSource downstream. Its own reconnecting is not used: a new connection begins with a new `connect`. */
export const openSse: OpenTransport = (request) => {
  const { platform, endpoint, hello } = request
  // Those for Node are told which fetch to use; a browser's looks for nothing of that name.
  const EventSource = platform.EventSource as new (url: string, init: { fetch: unknown }) => EventSourceLike
  const source = new EventSource(endpoint + PATHS.sse, { fetch: platform.fetch })
  const transport = new SplitTransport(request)
  transport.signal.onabort = () => {
    source.onmessage = source.onerror = null
    source.close()
  }
  source.onmessage = ({ data }: MessageEvent) => transport.hear(data)
  // An EventSource does not tell a refusal from a cut line.
  source.onerror = () => transport.fail(lineFailure('the stream has ended'))
  transport.send(hello())
  return transport
}
