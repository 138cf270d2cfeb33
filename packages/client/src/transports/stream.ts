import { PATHS } from '@fusewire/protocol'
import { lineFailure } from '../failure.ts'
import { asFailure, assertFusewire, post } from './http.ts'
import { SplitTransport } from './split-transport.ts'
import type { OpenTransport, TransportRequest } from './transport.ts'

const read = async (transport: SplitTransport, { platform, endpoint, hello, codec }: TransportRequest): Promise<never> => {
  const response = await post(platform, endpoint + PATHS.stream, codec.encode(hello()) as string, { signal: transport.signal })
  assertFusewire(response)
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true }
    if (done) throw lineFailure('the stream has ended')
    const text = rest + decoder.decode(value, { stream: true })
    const end = text.lastIndexOf('\n') + 1
    rest = text.slice(end)
    transport.hear(text.slice(0, end))
  }
}

/** One POST whose answer never ends; further messages go up by POSTs of their own. */
export const openStream: OpenTransport = (request) => {
  const transport = new SplitTransport(request)
  read(transport, request).catch((cause) => transport.fail(asFailure(cause)))
  return transport
}
