import { setTimeout as delay } from 'node:timers/promises'
import type { RunOptions, Sample, Scenario, Trial } from '../frame/scenario.ts'
import { Audience } from '../load/audience.ts'
import { bare, type Candidate, fusewire, type ReachableServer, socketIo, wsNaive } from '../load/candidates.ts'
import type { LineWay } from '../load/line-client.ts'
import { openOnce } from '../load/on-server.ts'
import { mostConnections } from '../load/open-files.ts'
import type { Memory } from '../load/server-process.ts'

const CLIENTS = 10_000
/** Clients that come and go first, so that code and caches are there before anything is measured. */
const WARM_UP_CLIENTS = 50
/** Until what has been closed is closed for the server too, and what is freed is given back. */
const SETTLE_MS = 2000
const KB = 1024

const memoryOf = async ({ process }: ReachableServer): Promise<Memory> => {
  if (!process) throw new Error('only a server of its own tells its memory')
  await delay(SETTLE_MS)
  return process.memory()
}

const open = (server: ReachableServer, candidate: Candidate, clients: number): Promise<Audience> =>
  Audience.open(server, candidate, { clients, channels: (client) => [`bench:memory-${client % 100}`] })

/** What idle clients cost, each with a session and a subscription, and what of it stays when they have left. */
const measureMemory = async (server: ReachableServer, candidate: Candidate, clients: number): Promise<Sample> => {
  const first = await open(server, candidate, Math.min(WARM_UP_CLIENTS, clients))
  first.close()
  const before = await memoryOf(server)
  const audience = await open(server, candidate, clients)
  const during = await memoryOf(server)
  audience.close()
  const after = await memoryOf(server)
  const perClient = (later: number, earlier: number): number => (later - earlier) / clients / KB
  return {
    rss: perClient(during.rss, before.rss),
    heap: perClient(during.heap, before.heap),
    rssAfter: perClient(after.rss, before.rss),
    heapAfter: perClient(after.heap, before.heap),
  }
}

/** Sessions that nobody comes back to end soon, so that what stays is not theirs. */
const FLAGS = ['--ping-interval-ms', '3600000', '--session-ttl-ms', '500']

/** The ways in that are no WebSocket, in the clear and over HTTP/1.1. */
const OTHERS: Readonly<Record<LineWay, string>> = {
  tcp: 'raw TCP',
  stream: 'HTTP streaming',
  sse: 'Server-Sent Events, one way',
  poll: 'long polling, with a poll that waits',
}

const plan = ({ isQuick, clients = Math.min(CLIENTS, mostConnections()), certificateFile }: RunOptions): readonly Trial[] => {
  const trials = (name: string, candidates: readonly Candidate[]): Trial[] =>
    candidates.map((candidate) => ({
      case: `${name}, ${clients} clients`,
      candidate: candidate.name,
      description: candidate.description,
      open: () => openOnce(candidate, (server) => measureMemory(server, candidate, clients)),
    }))
  const http2 = (kind: 'websocket-h2' | 'sse-h2', streams: number): Candidate =>
    fusewire({ name: `${kind}x${streams}`, way: { kind, streams }, certificateFile, flags: FLAGS })
  const own = fusewire({ flags: FLAGS })
  const others = (['tcp', 'stream', 'sse', 'poll'] as const).map((kind) =>
    fusewire({ name: kind, description: OTHERS[kind], way: { kind }, flags: FLAGS }),
  )
  const tls = [bare(certificateFile), fusewire({ certificateFile, flags: FLAGS })]
  const shared = [http2('websocket-h2', 1), http2('websocket-h2', 50), http2('sse-h2', 50)]
  // With fewer clients each has a larger share of what the process takes anyway, and the target would be another one.
  if (isQuick) return trials('plain', [own])
  return [
    ...trials('plain', [bare(), own, wsNaive(), socketIo()]),
    ...trials('others', others),
    ...trials('tls', tls),
    ...trials('h2', shared),
  ]
}

export const MEMORY: Scenario = {
  name: 'memory',
  summary:
    'what an idle connection costs with a session and a subscription, after garbage collection, in each transport; and what stays\nwhen all have left',
  measures: [
    { name: 'rss', title: 'KB/client', digits: 2 },
    { name: 'heap', title: 'of it heap', digits: 2 },
    { name: 'rssAfter', title: 'KB/client after', digits: 2 },
    { name: 'heapAfter', title: 'heap after', digits: 2 },
  ],
  main: 'rss',
  // Twice the same within a hundredth.
  rounds: 1,
  takes: ['clients'],
  plan,
}
