import type { RunOptions, Sample, Scenario, Trial } from '../frame/scenario.ts'
import { bare, type Candidate, fusewire, type ReachableServer, reach, socketIo, wsNaive } from '../load/candidates.ts'
import { rates, startMeter } from '../load/load-meter.ts'
import { loopbackAddress } from '../load/open-socket.ts'
import { openWebSocket } from '../load/web-socket-client.ts'
import { rateMeasures } from './rate-measures.ts'

const CONCURRENCY = 50
const DURATION_MS = 5000
const QUICK_DURATION_MS = 2000
const WARM_UP_SHARE = 0.3
const CHANNEL = 'bench:connecting'
/** A client closes first, and its port rests for a minute: addresses are changed before they have no port left. */
const CONNECTIONS_PER_ADDRESS = 2000

interface ConnectLoad {
  readonly candidate: Candidate
  /** Not only the handshake, but what makes a subscriber of it. */
  readonly isSubscribing: boolean
  readonly durationMs: number
}

/** Opens one connection, waits until it is what it is to be, and cuts it. */
const connectOnce = async (
  server: ReachableServer,
  { candidate, isSubscribing }: ConnectLoad,
  connection: number,
): Promise<void> => {
  const { dialect } = candidate
  const localAddress = loopbackAddress(connection, CONNECTIONS_PER_ADDRESS)
  let missing = isSubscribing ? dialect.greetings(1) : 0
  let onReady = (): void => {}
  const ready = new Promise<void>((resolve) => {
    onReady = resolve
  })
  const onMessages = (messages: number): void => {
    missing -= messages
    if (missing <= 0) onReady()
  }
  const client = await openWebSocket(server.address, { dialect }, onMessages, { localAddress })
  if (isSubscribing) {
    for (const frame of dialect.subscribe([CHANNEL])) client.write(frame)
    await ready
  }
  client.destroy()
}

const measureConnecting = async (load: ConnectLoad): Promise<Sample> => {
  const server = await reach(load.candidate)
  let connections = 0
  const connectFor = async (durationMs: number): Promise<void> => {
    const begin = performance.now()
    await Promise.all(
      Array.from({ length: CONCURRENCY }, async () => {
        while (performance.now() - begin < durationMs) await connectOnce(server, load, connections++)
      }),
    )
  }
  try {
    await connectFor(load.durationMs * WARM_UP_SHARE)
    const before = connections
    const stopMeter = startMeter(server.process)
    await connectFor(load.durationMs)
    return rates(connections - before, stopMeter())
  } finally {
    await server.stop()
  }
}

const plan = ({
  isQuick,
  certificateFile,
  durationMs = isQuick ? QUICK_DURATION_MS : DURATION_MS,
}: RunOptions): readonly Trial[] => {
  const trial = (name: string, candidate: Candidate, isSubscribing = true): Trial => ({
    case: name,
    candidate: isSubscribing ? candidate.name : `${candidate.name}-accept`,
    description: isSubscribing ? candidate.description : 'the handshake alone',
    measure: () => measureConnecting({ candidate, isSubscribing, durationMs }),
  })
  const quick = [trial('plain', wsNaive(), false), trial('plain', fusewire())]
  if (isQuick) return quick
  return [
    ...quick,
    trial('plain', bare(), false),
    trial('plain', wsNaive()),
    trial('plain', socketIo()),
    ...[bare, wsNaive].map((peer) => trial('tls', peer(certificateFile), false)),
    trial('tls', fusewire({ certificateFile })),
  ]
}

export const CONNECTING: Scenario = {
  name: 'connecting',
  summary:
    'connections a second, 50 at a time, each with connect and subscribe, plain and with a full TLS handshake; beside servers that\nonly accept',
  measures: rateMeasures('connections'),
  main: 'perCpuSecond',
  rounds: 5,
  plan,
}
