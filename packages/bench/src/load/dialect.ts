import { encodeMsgpack } from '@fusewire/protocol/msgpack'
import { clientFrame } from './client-frame.ts'

/** What clients say to a server, in frames ready to be sent. */
export interface Dialect {
  /** Path of the WebSocket. */
  readonly path: string
  readonly subprotocol?: string
  /** What every client sends first, and how many messages have to come before it may go on. */
  readonly handshake: { readonly frames: readonly Buffer[]; readonly answers: number }
  /** What a subscriber of these channels sends after that. */
  readonly subscribe: (channels: readonly string[]) => readonly Buffer[]
  /** Messages that it is sent then, before the first publication. */
  readonly greetings: (channels: number) => number
  /** What a publisher sends after the handshake, and the messages that answer it. */
  readonly introduce: readonly Buffer[]
  readonly introductions: number
  /** Makes the server send this text to every subscriber of the channel. */
  readonly publish: (channel: string, text: string) => Buffer
  /** Is answered by one message with the same text. */
  readonly echo: (text: string) => Buffer
}

/** A publication as Fusewire's clients get it, so that every server puts as many bytes on the wire. */
const publication = (channel: string, data: string): string =>
  JSON.stringify({
    type: 'publication',
    channel,
    offset: 1000,
    data,
    sender: { session: 'xxxxxxxxxxxx' },
    time: 1_700_000_000_000,
  })

const NO_HANDSHAKE = { frames: [], answers: 0 } as const

const SUBSCRIPTIONS_PER_CONNECT = 1000

const fusewire = (encode: (message: object) => string | Uint8Array, subprotocol: string): Dialect => {
  const frame = (message: object): Buffer => clientFrame(encode(message))
  return {
    path: '/fusewire/v1/ws',
    subprotocol,
    handshake: NO_HANDSHAKE,
    subscribe: (channels) => {
      const first = channels.slice(0, SUBSCRIPTIONS_PER_CONNECT)
      const rest = channels.slice(SUBSCRIPTIONS_PER_CONNECT)
      return [
        frame({ type: 'connect', subscriptions: first.map((channel) => ({ channel })) }),
        ...rest.map((channel) => frame({ type: 'subscribe', channel })),
      ]
    },
    greetings: (channels) => 1 + channels,
    introduce: [frame({ type: 'connect' })],
    introductions: 1,
    publish: (channel, text) => frame({ type: 'publish', channel, data: text }),
    echo: (text) => frame({ type: 'echo', id: 1, data: text }),
  }
}

/** What the peers of `src/servers` speak: S subscribes, P publishes what the subscribers are to be sent, E is sent back. */
const plain: Dialect = {
  path: '/',
  handshake: NO_HANDSHAKE,
  subscribe: (channels) => [clientFrame(`S${channels.join(',')}`)],
  greetings: () => 1,
  introduce: [],
  introductions: 0,
  publish: (channel, text) => clientFrame(`P${channel}\n${publication(channel, text)}`),
  echo: (text) => clientFrame(`E${text}`),
}

/** The packets of Engine.IO 4 and Socket.IO 5: 4 is a message; in it 0 connects, and 2 is an event. */
const socketIo: Dialect = {
  path: '/socket.io/?EIO=4&transport=websocket',
  // Open of Engine.IO, and connect of Socket.IO; what is sent before that is lost.
  handshake: { frames: [clientFrame('40')], answers: 2 },
  subscribe: (channels) => [clientFrame(`42${JSON.stringify(['subscribe', channels])}`)],
  // What the server emits once it has joined the rooms.
  greetings: () => 1,
  introduce: [],
  introductions: 0,
  publish: (channel, text) => clientFrame(`42${JSON.stringify(['publish', channel, JSON.parse(publication(channel, text))])}`),
  echo: (text) => clientFrame(`42${JSON.stringify(['echo', text])}`),
}

const fusewireJson = fusewire(JSON.stringify, 'fusewire.v1.json')

/** Fusewire's, but for what is asked: the method `echo` of the program that the server is a part of. */
export const FUSEWIRE_RPC: Dialect = {
  ...fusewireJson,
  echo: (text) => clientFrame(JSON.stringify({ type: 'rpc', id: 1, method: 'echo', data: text })),
}

export const DIALECTS = {
  fusewire: fusewireJson,
  'fusewire-msgpack': fusewire(encodeMsgpack, 'fusewire.v1.msgpack'),
  plain,
  'socket.io': socketIo,
} as const satisfies Record<string, Dialect>

export type DialectName = keyof typeof DIALECTS
