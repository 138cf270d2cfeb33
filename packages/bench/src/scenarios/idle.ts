import { setTimeout as delay } from 'node:timers/promises'
import type { RunOptions, Sample, Scenario, Trial } from '../frame/scenario.ts'
import { SERVER_CPU } from '../frame/scenario-table.ts'
import { Audience } from '../load/audience.ts'
import { type Candidate, fusewire, type ReachableServer } from '../load/candidates.ts'
import { clientFrame } from '../load/client-frame.ts'
import { startMeter } from '../load/load-meter.ts'
import { openOnce } from '../load/on-server.ts'
import { mostConnections } from '../load/open-files.ts'
import { until } from '../load/until.ts'

const CLIENTS = 20_000
const DURATION_MS = 300_000
/** The default of the server, and so of its clients. */
const PING_INTERVAL_MS = 25_000
const PING = clientFrame('{"type":"ping"}')
const TURN_MS = 10

interface IdleLoad {
  readonly clients: number
  readonly durationMs: number
}

/** Holds clients that do nothing but say that they are there, evenly one after another. Each ping is answered by one message. */
const measureIdle = async (server: ReachableServer, candidate: Candidate, { clients, durationMs }: IdleLoad): Promise<Sample> => {
  const audience = await Audience.open(server, candidate, { clients, channels: (client) => [`bench:idle-${client % 100}`] })
  const stopMeter = startMeter(server.process)
  const begin = performance.now()
  let pings = 0
  while (performance.now() - begin < durationMs) {
    const due = Math.floor(((performance.now() - begin) / PING_INTERVAL_MS) * clients)
    for (; pings < due; pings++) audience.clients[pings % clients]?.write(PING)
    await delay(TURN_MS)
  }
  const { seconds, cpuSeconds, loadCpu } = stopMeter()
  await until(() => audience.received >= pings, '').catch(() => {})
  const lost = pings - audience.received
  audience.close()
  return { serverCpu: cpuSeconds === undefined ? undefined : cpuSeconds / seconds, lost, loadCpu }
}

const CANDIDATE = fusewire({ flags: [] })

const plan = ({ clients = Math.min(CLIENTS, mostConnections()), durationMs = DURATION_MS }: RunOptions): readonly Trial[] => [
  {
    case: `${clients} clients, ${durationMs / 1000} s`,
    candidate: 'fusewire',
    description: 'a session and a subscription each, the default heartbeat',
    open: () => openOnce(CANDIDATE, (server) => measureIdle(server, CANDIDATE, { clients, durationMs })),
  },
]

export const IDLE: Scenario = {
  name: 'idle',
  summary: 'how much of a core 20,000 clients take that are only there, with the default heartbeat, for five minutes',
  measures: [
    { ...SERVER_CPU, digits: 3 },
    { name: 'lost', title: 'pings without answer', digits: 0 },
    { name: 'loadCpu', title: 'load CPU', digits: 2 },
  ],
  main: 'serverCpu',
  rounds: 1,
  takes: ['clients'],
  plan,
}
