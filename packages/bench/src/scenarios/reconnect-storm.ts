import type { RunOptions, Sample, Scenario, Trial } from '../frame/scenario.ts'
import { quantile } from '../frame/statistics.ts'
import { type Candidate, fusewire, type ReachableServer, socketIo, wsNaive } from '../load/candidates.ts'
import { startMeter } from '../load/load-meter.ts'
import { openOnce } from '../load/on-server.ts'
import { freshAddress } from '../load/open-socket.ts'
import { resumption } from '../load/resumption.ts'
import { type LoadClient, openWebSocket } from '../load/web-socket-client.ts'

const CLIENTS = 5000
const CHANNELS = 100
/** Clients that come at a time before there is a storm. */
const OPENING = 50
/** Whoever is not back by then is lost. */
const LOST_AFTER_MS = 60_000

/** A client that has been greeted, and what it has been told. */
interface Greeted {
  readonly client: LoadClient
  readonly told: string
}

interface Storm {
  readonly server: ReachableServer
  readonly candidate: Candidate
  readonly clients: number
}

/** Connects, says this, and is told what answers it. */
const greet = async ({ server, candidate }: Storm, frames: readonly Buffer[]): Promise<Greeted> => {
  const { dialect } = candidate
  let missing = dialect.greetings(1)
  let told = ''
  let onTold = (): void => {}
  const greeted = new Promise<void>((resolve) => {
    onTold = resolve
  })
  const onMessages = (messages: number, chunk: Buffer): void => {
    if (missing > 0) told += chunk.toString('latin1')
    missing -= messages
    if (missing <= 0) onTold()
  }
  const client = await openWebSocket(server.address, { dialect }, onMessages, { localAddress: freshAddress() })
  for (const frame of frames) client.write(frame)
  await greeted
  return { client, told }
}

const channelOf = (client: number): string => `bench:storm-${client % CHANNELS}`

const openAll = async (storm: Storm): Promise<Greeted[]> => {
  const greeted: Greeted[] = []
  for (let first = 0; first < storm.clients; first += OPENING)
    greeted.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(OPENING, storm.clients - first) }, (_, index) =>
          greet(storm, storm.candidate.dialect.subscribe([channelOf(first + index)])),
        ),
      )),
    )
  return greeted
}

/** Cuts everyone at once; all come back at once, and go on where they were, as far as the server lets them. */
const breakOut = async (storm: Storm, greeted: readonly Greeted[]): Promise<{ sample: Sample; back: Greeted[] }> => {
  const { dialect } = storm.candidate
  const stopMeter = startMeter(storm.server.process)
  const begin = performance.now()
  for (const { client } of greeted) client.destroy()
  const times: number[] = []
  const back: Greeted[] = []
  const comeBack = async ({ told }: Greeted, index: number): Promise<void> => {
    const channel = channelOf(index)
    const again = resumption(dialect, told, channel)
    const next = await greet(storm, again?.frames ?? dialect.subscribe([channel]))
    back.push(next)
    if (!again || again.isResumed(next.told)) times.push(performance.now() - begin)
  }
  const returns = Promise.allSettled(greeted.map(comeBack))
  let giveUp: NodeJS.Timeout | undefined
  await Promise.race([
    returns,
    new Promise((resolve) => {
      giveUp = setTimeout(resolve, LOST_AFTER_MS)
    }),
  ])
  clearTimeout(giveUp)
  const { cpuSeconds, loadCpu, seconds } = stopMeter()
  const sorted = [...times].sort((a, b) => a - b)
  return {
    back,
    sample: {
      p50: quantile(sorted, 0.5),
      p99: quantile(sorted, 0.99),
      all: sorted.at(-1),
      cpu: cpuSeconds === undefined ? undefined : (cpuSeconds / greeted.length) * 1_000_000,
      lost: greeted.length - sorted.length,
      serverCpu: cpuSeconds === undefined ? undefined : cpuSeconds / seconds,
      loadCpu,
    },
  }
}

/** The second storm counts: the code that a server needs for it has run then, as in a server that has been up for a while. */
const measureStorm = async (storm: Storm): Promise<Sample> => {
  const { back } = await breakOut(storm, await openAll(storm))
  const { sample } = await breakOut(storm, back)
  return { ...sample, lost: (sample.lost ?? 0) + storm.clients - back.length }
}

const plan = ({ clients = CLIENTS, certificateFile }: RunOptions): readonly Trial[] => {
  const trial = (name: string, candidate: Candidate, description: string): Trial => ({
    case: `${name}, ${clients} clients`,
    candidate: candidate.name,
    description,
    open: () => openOnce(candidate, (server) => measureStorm({ server, candidate, clients })),
  })
  const resumes = 'resumes the session and its subscription, from the position that the client has'
  const begins = 'connects and subscribes anew'
  return [
    trial('plain', fusewire(), resumes),
    trial('plain', wsNaive(), begins),
    trial('plain', socketIo(), begins),
    trial('tls', fusewire({ certificateFile }), resumes),
    trial('tls', wsNaive(certificateFile), begins),
  ]
}

export const RECONNECT_STORM: Scenario = {
  name: 'reconnect-storm',
  summary:
    'all clients are cut at once and come back at once: how long until they are, and what it costs. Those of Fusewire resume their\nsessions, those of the others connect and subscribe anew',
  measures: [
    { name: 'p50', title: 'p50 back, ms', digits: 0 },
    { name: 'p99', title: 'p99 back, ms', digits: 0 },
    { name: 'all', title: 'all back, ms', digits: 0 },
    { name: 'cpu', title: 'CPU µs/client', digits: 0 },
    { name: 'lost', title: 'lost', digits: 0 },
    { name: 'loadCpu', title: 'load CPU', digits: 2 },
  ],
  main: 'cpu',
  rounds: 5,
  takes: ['clients'],
  plan,
}
