import { type ClientOptions, FusewireClient, type TransportName } from '@fusewire/client'
import { msgpackCodec } from '@fusewire/client/msgpack'
import { FusewireClient as StateClient } from '@fusewire/client/state'
import { EventSource } from 'eventsource'

/** Every transport of the SDK, and between them both sorts of port and both encodings. */
export const ROUTES = [
  { transport: 'websocket', scheme: 'https', encoding: 'json' },
  { transport: 'websocket', scheme: 'http', encoding: 'msgpack' },
  { transport: 'stream', scheme: 'https', encoding: 'json' },
  { transport: 'stream', scheme: 'http', encoding: 'json' },
  { transport: 'sse', scheme: 'https', encoding: 'json' },
  { transport: 'sse', scheme: 'http', encoding: 'json' },
  { transport: 'poll', scheme: 'https', encoding: 'json' },
  { transport: 'poll', scheme: 'http', encoding: 'json' },
] as const satisfies readonly { transport: TransportName; scheme: 'http' | 'https'; encoding: 'json' | 'msgpack' }[]

/** Tests do not wait for seconds. */
const IMPATIENT = { EventSource, minBackoffMs: 10, maxBackoffMs: 100, maxAttempts: 1000 }

/** The SDK as a program in Node uses it, but for its patience. */
export const sdkClient = (endpoints: string | readonly string[], options: ClientOptions = {}): FusewireClient =>
  new FusewireClient(endpoints, { ...IMPATIENT, ...options })

/** The same with documents. */
export const stateClient = (endpoints: string | readonly string[], options: ClientOptions = {}): StateClient =>
  new StateClient(endpoints, { ...IMPATIENT, ...options })

export const codecOf = (encoding: 'json' | 'msgpack'): Pick<ClientOptions, 'codec'> =>
  encoding === 'msgpack' ? { codec: msgpackCodec } : {}
