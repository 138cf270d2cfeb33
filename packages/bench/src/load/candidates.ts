import { fileURLToPath } from 'node:url'
import { DIALECTS, type Dialect, FUSEWIRE_RPC } from './dialect.ts'
import type { LineWay } from './line-client.ts'
import type { Address } from './open-socket.ts'
import { type RunningServer, type ServerProgram, startServer } from './server-process.ts'

/** How subscribers reach a server. Over HTTP/2 so many streams share a connection. */
export type Way =
  | { readonly kind: 'websocket'; readonly isDeflateOffered?: boolean }
  | { readonly kind: LineWay }
  | { readonly kind: 'websocket-h2'; readonly streams: number }
  | { readonly kind: 'sse-h2'; readonly streams: number }

/** A server to be measured, and how its clients speak. */
export interface Candidate {
  readonly name: string
  readonly description: string
  readonly dialect: Dialect
  readonly way: Way
  readonly isTls: boolean
  /** What starts it, or where it already is. */
  readonly server: ServerProgram | { readonly at: Address }
}

/** A server and where its clients find it. */
export interface ReachableServer {
  readonly process: RunningServer | undefined
  readonly address: Address
  stop(): Promise<void>
}

const own = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

/** What makes a load of one machine one that a server with its defaults would refuse. */
const WITHOUT_LIMITS = [
  ...['--messages-per-second', '10000000', '--messages-burst', '100000000'],
  ...['--bytes-per-second', '1073741824', '--bytes-burst', '1073741824'],
  ...['--max-connections', '1000000', '--max-connections-per-address', '1000000'],
  ...['--handshakes-per-second', '1000000', '--handshakes-per-second-per-address', '1000000'],
  ...['--max-channels-per-session', '100000', '--max-pending-requests', '100000'],
]

/** No heartbeat falls into what is measured. */
const WITHOUT_HEARTBEAT = ['--ping-interval-ms', '3600000']

export interface FusewireSettings {
  readonly name?: string
  readonly description?: string
  readonly way?: Way
  /** Certificate and key; without one there is no TLS. */
  readonly certificateFile?: string
  readonly dialect?: Dialect
  /** More flags of `fusewire serve`. */
  readonly flags?: readonly string[]
}

/** `fusewire serve` with its defaults, but for the limits that a load from one machine runs into. */
export const fusewire = (settings: FusewireSettings = {}): Candidate => {
  const { certificateFile, flags = WITHOUT_HEARTBEAT } = settings
  const isTls = certificateFile !== undefined
  const listen = isTls
    ? ['--port', '0', '--tls-cert-file', certificateFile, '--tls-key-file', certificateFile]
    : ['--no-tls', '--cleartext-port', '0']
  const log = ['--log-level', 'warn', '--log-format', 'json']
  return {
    name: settings.name ?? 'fusewire',
    description: settings.description ?? 'fusewire serve: JSON publish in, history kept, JSON publications out',
    dialect: settings.dialect ?? DIALECTS.fusewire,
    way: settings.way ?? { kind: 'websocket' },
    isTls,
    server: {
      arguments: [own('../../../cli/bin/fusewire.js'), 'serve', '--development', ...listen, ...log, ...WITHOUT_LIMITS, ...flags],
    },
  }
}

const peer =
  (name: string, description: string, dialect: Dialect, file: string, flags: readonly string[] = []) =>
  (certificateFile?: string): Candidate => ({
    name,
    description,
    dialect,
    way: { kind: 'websocket', isDeflateOffered: flags.includes('--deflate') },
    isTls: certificateFile !== undefined,
    server: {
      arguments: [own(`../servers/${file}`), ...flags, ...(certificateFile === undefined ? [] : ['--tls', certificateFile])],
    },
  })

const { plain, 'socket.io': socketIoDialect } = DIALECTS

/** Each takes the certificate to serve TLS with, or none. */
export const bare = peer('bare', 'net sockets, one ready-made frame, socket.write in a loop', plain, 'bare.js')
export const bareJoined = peer('bare', 'net sockets, the frames of a burst joined, socket.write in a loop', plain, 'bare.js', [
  '--joined',
])
/** So many streams share a TLS connection. */
export const bareHttp2 = (streams: number, certificateFile: string): Candidate => ({
  ...peer(
    `bare-h2x${streams}`,
    `node:http2, one ready-made frame, stream.write in a loop, ${streams} streams a connection`,
    plain,
    'bare.js',
    ['--http2'],
  )(certificateFile),
  way: { kind: 'websocket-h2', streams },
})
export const wsNaive = peer('ws', 'the ws package, socket.send for each client', plain, 'ws-package.js')
export const wsReady = peer(
  'ws-ready',
  'the ws package, one frame made once, socket.write for each client',
  plain,
  'ws-package.js',
  ['--ready'],
)
/** The floor of what is built on ws and has sessions. */
export const wsSessions = peer(
  'ws-sessions',
  'the ws package; JSON, a session with a secret, and subscriptions, which stay for a minute',
  DIALECTS.fusewire,
  'ws-sessions.js',
)
export const wsDeflate = peer('ws-deflate', 'the ws package with permessage-deflate for each client', plain, 'ws-package.js', [
  '--deflate',
])
export const socketIo = peer(
  'socket.io',
  'Socket.IO 4 with its defaults, which do not compress WebSocket messages',
  socketIoDialect,
  'socket-io.js',
)
export const socketIoDeflate = peer('socket.io-deflate', 'Socket.IO 4 with permessage-deflate', socketIoDialect, 'socket-io.js', [
  '--deflate',
])

export const fusewireRpc = peer(
  'fusewire-rpc',
  'a program with Fusewire in it, whose rpc method gives back its data',
  FUSEWIRE_RPC,
  'embedded-rpc.js',
)

/** Connections that so many clients of a candidate have: streams share them. */
export const connectionsOf = ({ way }: Candidate, clients: number): number =>
  'streams' in way ? Math.ceil(clients / way.streams) : clients

/** Starts the candidate's server, or takes the one that is there. */
export const reach = async ({ server, isTls }: Candidate): Promise<ReachableServer> => {
  if ('at' in server) return { process: undefined, address: server.at, stop: async () => {} }
  const process = await startServer(server)
  return { process, address: { host: process.host, port: process.port, isTls }, stop: () => process.stop() }
}
