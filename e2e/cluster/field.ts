import type { Random } from '@fusewire/testkit'
import { Agent, fetch } from 'undici'
import { EventSubscriber } from '../faults/event-subscriber.ts'
import { SdkSubscriber } from '../faults/sdk-subscriber.ts'
import type { Stream } from '../faults/stream.ts'
import type { Subscriber } from '../faults/subscriber.ts'
import { WireSubscriber } from '../faults/wire-subscriber.ts'
import { ownLines } from '../rolling-restart/own-lines.ts'
import type { Endpoints } from '../wire/way.ts'
import { WAYS } from '../wire/ways.ts'

/** A client of a cluster. */
export interface Participant {
  readonly name: string
  readonly subscriber: Subscriber
  /**
   * Whether all that it says goes over the connection on which it is told. What others send may reach any node, which has to hand it on,
   * and cannot while the broker is away.
   */
  readonly isOnOneConnection: boolean
  close(): Promise<void>
}

/** `fetch` over a new connection for each request, so that each goes to any node; given up after a while. */
export const freshFetch = (timeoutMs: number): { readonly send: typeof globalThis.fetch; close(): Promise<void> } => {
  // Without pipelining a connection is not kept.
  const dispatcher = new Agent({ pipelining: 0, allowH2: false })
  const send = ((url: string, init: object) =>
    fetch(url, { signal: AbortSignal.timeout(timeoutMs), ...init, dispatcher })) as unknown as typeof globalThis.fetch
  return { send, close: () => dispatcher.destroy() }
}

/** Every request over a connection of its own; WebSockets as in `ownLines`. */
const scatteredLines = () => {
  const lines = ownLines()
  const dispatcher = new Agent({ pipelining: 0, allowH2: false })
  return {
    WebSocket: lines.WebSocket,
    fetch: ((url: string, init: object) => fetch(url, { ...init, dispatcher })) as unknown as typeof globalThis.fetch,
    close: async () => {
      await lines.close()
      await dispatcher.destroy()
    },
  }
}

type Open = (endpoints: Endpoints, streams: readonly Stream[], random: Random) => Participant

const sdk =
  (transport: 'websocket' | 'stream' | 'sse' | 'poll', scheme: 'https' | 'http', isScattered: boolean): Open =>
  (endpoints, streams) => {
    const { close, ...platform } = isScattered ? scatteredLines() : ownLines()
    const encoding = transport === 'websocket' && scheme === 'http' ? 'msgpack' : 'json'
    const subscriber = new SdkSubscriber(endpoints[scheme], streams, { transport, encoding, platform })
    return {
      name: `SDK by ${transport}, ${scheme}${isScattered ? ', scattered' : ''}`,
      subscriber,
      isOnOneConnection: transport === 'websocket',
      close: async () => {
        await subscriber.close()
        await close()
      },
    }
  }

const wire = WAYS.map(
  (way): Open =>
    (endpoints, streams, random) => {
      const subscriber = new WireSubscriber(way, endpoints, streams, random)
      return { name: way.name, subscriber, isOnOneConnection: way.framing !== 'requests', close: () => subscriber.close() }
    },
)

const events =
  (version: 'HTTP/1.1' | 'HTTP/2'): Open =>
  ({ https }, streams, random) => {
    const subscriber = new EventSubscriber(https, version, streams, random)
    return { name: `one-way SSE over ${version}`, subscriber, isOnOneConnection: true, close: () => subscriber.close() }
  }

/** Every sort of client, those first which differ most. */
const SORTS: readonly Open[] = [
  sdk('websocket', 'https', false),
  sdk('sse', 'https', true),
  ...wire,
  events('HTTP/1.1'),
  events('HTTP/2'),
  sdk('websocket', 'http', false),
  sdk('stream', 'https', true),
  sdk('poll', 'https', true),
  sdk('stream', 'http', true),
]

/** A client at each of these entrances, of every sort when there are enough. */
export const openField = (entrances: readonly Endpoints[], streams: readonly Stream[], random: Random): Participant[] =>
  entrances.map((entrance, index) => {
    const open = SORTS[index % SORTS.length] as Open
    return open(entrance, streams, random.fork())
  })
