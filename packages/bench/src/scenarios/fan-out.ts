import type { OpenTrial, RunOptions, Scenario, Trial } from '../frame/scenario.ts'
import {
  bare,
  bareHttp2,
  bareJoined,
  type Candidate,
  connectionsOf,
  fusewire,
  socketIo,
  socketIoDeflate,
  wsDeflate,
  wsNaive,
  wsReady,
} from '../load/candidates.ts'
import { DIALECTS } from '../load/dialect.ts'
import { openDeliveries } from '../load/open-deliveries.ts'
import { externalCandidate } from './external-candidate.ts'
import { rateMeasures } from './rate-measures.ts'

const CHANNEL = 'bench:fan-out'
/**
 * Short, and in many rounds: what one and the same program takes for a delivery differs from start to start, and far less from then
 * on, so that only more starts tell more.
 */
const DURATION_MS = 1800
const WINDOWS = 6
/** Until the code of all candidates has been compiled for good: 0.4 s of publications with `bare`, 0.9 s with Fusewire. */
const WARM_UP_MS = 1500
const BURST = 10
/** Enough for compression to pay. */
const DEFLATED_BYTES = 2000

interface Load {
  readonly clients: number
  readonly bytes: number
  /** Messages that are published in one write. */
  readonly burst: number
  readonly durationMs: number
}

/** Publishes to many subscribers of one channel, and counts what arrives. */
export const openFanOut = (candidate: Candidate, { clients, bytes, burst, durationMs }: Load): Promise<OpenTrial> => {
  const frame = candidate.dialect.publish(CHANNEL, textOf(bytes))
  const frames = Buffer.concat(Array.from({ length: burst }, () => frame))
  return openDeliveries(
    candidate,
    { clients, channels: () => [CHANNEL] },
    { warmUpMs: WARM_UP_MS, durationMs, nextFrames: () => frames, deliveriesEach: clients * burst, window: 1 },
  )
}

const WORDS = 'the quick brown fox jumps over the lazy dog and goes home again 0123456789 '

/** Text that compresses about as well as prose. */
const textOf = (bytes: number): string => WORDS.repeat(Math.ceil(bytes / WORDS.length)).slice(0, bytes)

const plainCandidates = (): readonly Candidate[] => [bare(), fusewire(), wsNaive(), wsReady(), socketIo()]

const tlsCandidates = (certificateFile: string): readonly Candidate[] => [
  bare(certificateFile),
  fusewire({ certificateFile }),
  wsNaive(certificateFile),
  socketIo(certificateFile),
]

const http2Candidates = (certificateFile: string): readonly Candidate[] => [
  { ...bare(certificateFile), name: 'bare-tls' },
  fusewire({ name: 'tls', description: 'WebSocket over TLS, a connection for each client', certificateFile }),
  ...[1, 10, 50].map((streams) =>
    fusewire({
      name: `h2x${streams}`,
      description: `WebSocket over HTTP/2, ${streams} streams a connection`,
      way: { kind: 'websocket-h2', streams },
      certificateFile,
    }),
  ),
  bareHttp2(50, certificateFile),
  ...[1, 50].map((streams) =>
    fusewire({
      name: `sse-h2x${streams}`,
      description: `Server-Sent Events over HTTP/2, ${streams} streams a connection`,
      way: { kind: 'sse-h2', streams },
      certificateFile,
    }),
  ),
]

const encodings = (): readonly Candidate[] => [
  fusewire({ name: 'json' }),
  fusewire({ name: 'msgpack', description: 'publications in MessagePack', dialect: DIALECTS['fusewire-msgpack'] }),
]

const deflate = (): readonly Candidate[] => [
  fusewire({
    name: 'fusewire-deflate',
    description: 'compressed once for all clients',
    way: { kind: 'websocket', isDeflateOffered: true },
  }),
  fusewire({ description: 'not compressed' }),
  wsDeflate(),
  socketIoDeflate(),
]

const plan = (options: RunOptions): readonly Trial[] => {
  const { isQuick, certificateFile, external } = options
  const durationMs = (options.durationMs ?? DURATION_MS) / WINDOWS
  const audiences = options.clients === undefined ? (isQuick ? [1000] : [1000, 5000]) : [options.clients]
  const sizes = options.bytes === undefined ? (isQuick ? [100] : [100, 1000]) : [options.bytes]
  const [clients = 0] = audiences
  const [bytes = 0] = sizes
  const { bytes: deflated = DEFLATED_BYTES } = options
  const more = external ? [externalCandidate(external)] : []
  const trials = (name: string, candidates: readonly Candidate[], load: Omit<Load, 'durationMs'>): Trial[] =>
    candidates.map((candidate) => ({
      case: name,
      candidate: candidate.name,
      description: candidate.description,
      connections: connectionsOf(candidate, load.clients),
      open: () => openFanOut(candidate, { ...load, durationMs }),
    }))
  const inQuick = (candidates: readonly Candidate[], names: readonly string[]): readonly Candidate[] =>
    isQuick ? candidates.filter(({ name }) => names.includes(name)) : candidates
  return [
    ...audiences.flatMap((count) =>
      sizes.flatMap((size) =>
        trials(`plain, ${count} clients, ${size} B`, [...inQuick(plainCandidates(), ['bare', 'fusewire']), ...more], {
          clients: count,
          bytes: size,
          burst: 1,
        }),
      ),
    ),
    ...audiences.flatMap((count) =>
      trials(
        `bursts of ${BURST}, ${count} clients, ${bytes} B`,
        [...inQuick([bareJoined(), ...plainCandidates().slice(1)], ['bare', 'fusewire']), ...more],
        { clients: count, bytes, burst: BURST },
      ),
    ),
    ...trials(`tls, ${clients} clients, ${bytes} B`, inQuick(tlsCandidates(certificateFile), ['bare', 'fusewire']), {
      clients,
      bytes,
      burst: 1,
    }),
    ...trials(`h2, ${clients} clients, ${bytes} B`, inQuick(http2Candidates(certificateFile), ['tls', 'h2x50']), {
      clients,
      bytes,
      burst: 1,
    }),
    ...(isQuick ? [] : trials(`encodings, ${clients} clients, ${bytes} B`, encodings(), { clients, bytes, burst: 1 })),
    ...(isQuick ? [] : trials(`deflate, ${clients} clients, ${deflated} B`, deflate(), { clients, bytes: deflated, burst: 1 })),
  ]
}

export const FAN_OUT: Scenario = {
  name: 'fan-out',
  summary:
    'how fast a message reaches all subscribers of a channel: one at a time and in bursts, plain, over TLS, over HTTP/2 as WebSocket\nand SSE, in JSON and MessagePack, compressed once against once a client',
  measures: rateMeasures('deliveries'),
  main: 'perCpuSecond',
  rounds: 11,
  windows: WINDOWS,
  takes: ['clients', 'bytes', 'url'],
  plan,
}
