import { setTimeout as delay } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import type { OpenTrial, RunOptions, Scenario, Trial } from '../frame/scenario.ts'
import { bare, type Candidate, fusewire, type ReachableServer, socketIo, wsNaive, wsSessions } from '../load/candidates.ts'
import { Http2Connection } from '../load/http2-connection.ts'
import { rates, startMeter } from '../load/load-meter.ts'
import { openLoad } from '../load/on-server.ts'
import { freshAddress, ticketOf } from '../load/open-socket.ts'
import { type LoadClient, type OnMessages, openWebSocket, openWebSocketStream } from '../load/web-socket-client.ts'
import { rateMeasures } from './rate-measures.ts'

const CONCURRENCY = 50
const DURATION_MS = 3000
const WINDOWS = 6
/** Until the code of all candidates has been compiled for good: a server is up for longer than that. */
const WARM_UP_MS = 6000
/** Until the server has closed what the clients have: that is its work too, and is to fall into no other's window. */
const CLOSING_MS = 20
const CHANNEL = 'bench:connecting'

interface ConnectLoad {
  readonly candidate: Candidate
  /** Not only the handshake, but what makes a subscriber of it. */
  readonly isSubscribing: boolean
  /** Every TLS handshake resumes a session. */
  readonly isTlsResumed: boolean
  readonly durationMs: number
}

type OpenClient = (onMessages: OnMessages) => Promise<LoadClient>

/** How one client after the other comes: on a socket of its own, or on a stream of the one HTTP/2 connection. */
const wayIn = async ({ address }: ReachableServer, { candidate, isTlsResumed }: ConnectLoad): Promise<OpenClient> => {
  const { dialect, way } = candidate
  if (way.kind === 'websocket-h2') {
    const connection = await Http2Connection.open(address)
    return (onMessages) => openWebSocketStream(connection, { dialect }, onMessages)
  }
  const session = isTlsResumed ? await ticketOf(address) : undefined
  return async (onMessages) => {
    const client = await openWebSocket(address, { dialect }, onMessages, { localAddress: freshAddress(), session })
    if (session && !(client.socket as TLSSocket).isSessionReused()) throw new Error('the server has not resumed the TLS session')
    return client
  }
}

/** Opens one connection, waits until it is what it is to be, and cuts it. */
const connectOnce = async (open: OpenClient, { candidate, isSubscribing }: ConnectLoad): Promise<void> => {
  const { dialect } = candidate
  let missing = isSubscribing ? dialect.greetings(1) : 0
  let onReady = (): void => {}
  const ready = new Promise<void>((resolve) => {
    onReady = resolve
  })
  const onMessages = (messages: number): void => {
    missing -= messages
    if (missing <= 0) onReady()
  }
  const client = await open(onMessages)
  if (isSubscribing) {
    for (const frame of dialect.subscribe([CHANNEL])) client.write(frame)
    await ready
  }
  client.destroy()
}

const openConnecting = (load: ConnectLoad): Promise<OpenTrial> =>
  openLoad(load.candidate, async (server) => {
    const open = await wayIn(server, load)
    /** Resolves with the number of connections. */
    const connectFor = async (durationMs: number): Promise<number> => {
      const begin = performance.now()
      let connections = 0
      await Promise.all(
        Array.from({ length: CONCURRENCY }, async () => {
          for (; performance.now() - begin < durationMs; connections++) await connectOnce(open, load)
        }),
      )
      return connections
    }
    await connectFor(WARM_UP_MS)
    return {
      measure: async () => {
        const stopMeter = startMeter(server.process)
        const begin = performance.now()
        const connections = await connectFor(load.durationMs)
        const seconds = (performance.now() - begin) / 1000
        await delay(CLOSING_MS)
        return rates(connections, { ...stopMeter(), seconds })
      },
      close: () => {},
    }
  })

const plan = ({ isQuick, certificateFile, durationMs = DURATION_MS }: RunOptions): readonly Trial[] => {
  const trial = (
    name: string,
    candidate: Candidate,
    { isSubscribing = true, isTlsResumed = false }: Partial<ConnectLoad> = {},
  ): Trial => ({
    case: name,
    candidate: isSubscribing ? candidate.name : `${candidate.name}-accept`,
    description: isSubscribing ? candidate.description : 'the handshake alone',
    open: () => openConnecting({ candidate, isSubscribing, isTlsResumed, durationMs: durationMs / WINDOWS }),
  })
  const accepting = { isSubscribing: false }
  const quick = [trial('plain', wsNaive(), accepting), trial('plain', fusewire())]
  if (isQuick) return quick
  const overTls = (name: string, isTlsResumed: boolean): Trial[] => [
    ...[bare, wsNaive].map((peer) => trial(name, peer(certificateFile), { ...accepting, isTlsResumed })),
    trial(name, fusewire({ certificateFile }), { isTlsResumed }),
  ]
  const streams = fusewire({ way: { kind: 'websocket-h2', streams: CONCURRENCY }, certificateFile })
  return [
    ...quick,
    trial('plain', bare(), accepting),
    trial('plain', wsNaive()),
    trial('plain', wsSessions()),
    trial('plain', socketIo()),
    ...overTls('tls, full handshake', false),
    ...overTls('tls, resumed', true),
    trial('streams of one HTTP/2 connection', streams),
  ]
}

export const CONNECTING: Scenario = {
  name: 'connecting',
  summary:
    'connections a second, 50 at a time, each with connect and subscribe: plain, with a full TLS handshake and with a resumed one,\nand as streams of one HTTP/2 connection; beside servers that only accept',
  measures: rateMeasures('connections'),
  main: 'perCpuSecond',
  rounds: 7,
  windows: WINDOWS,
  takes: [],
  plan,
}
