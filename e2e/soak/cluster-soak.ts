import { missingServer, Random } from '@fusewire/testkit'
import { Api } from '../api.ts'
import { PROGRAMS, startBrokerServers } from '../cluster/broker-servers.ts'
import { brokerFaults, type ClusterFault, CUTS, NODE_FAULTS } from '../cluster/faults.ts'
import type { ClusterNodes } from '../cluster/nodes.ts'
import { Play, type PlayCounts } from '../cluster/play.ts'
import { Ending } from './ending.ts'
import { conclude, mebibytes, table } from './report.ts'
import { ServerMemory, WATCHED } from './server-memory.ts'
import type { ClusterChoice, SoakOptions } from './soak-options.ts'

const FAULTS_OF_A_ROUND = 4
const SHOWN_PROBLEMS = 10
/** What the heap of a node may be larger than that of the smallest has been, between rounds. Histories are the broker's. */
const MAX_GROWTH_BYTES = 32 * 1024 * 1024

/** What all rounds have come to. */
class Sums {
  rounds = 0
  wrong = 0
  heldUpMs = 0
  peakBytes = 0
  smallestHeap = Number.POSITIVE_INFINITY
  heaps: readonly number[] = []
  readonly counts: Partial<Record<keyof PlayCounts, number>> = {}
  readonly struck = new Map<string, number>()

  add({ counts, struck, heldUpMs, problems }: Awaited<ReturnType<Play['round']>>): void {
    this.rounds++
    for (const { name } of struck) this.struck.set(name, (this.struck.get(name) ?? 0) + 1)
    for (const [name, count] of Object.entries(counts) as [keyof PlayCounts, number][])
      this.counts[name] = (this.counts[name] ?? 0) + count
    this.heldUpMs = Math.max(this.heldUpMs, heldUpMs)
    for (const problem of problems.slice(0, Math.max(0, SHOWN_PROBLEMS - this.wrong))) console.error(`✗ ${problem}`)
    if (problems.length > 0) console.error(`  that was round ${this.rounds}: ${struck.map(({ name }) => name).join('; then ')}`)
    this.wrong += problems.length
  }

  async look(nodes: ClusterNodes): Promise<void> {
    const memories = nodes.processes.map((server) => new ServerMemory(server, new Api(server.http)))
    this.heaps = await Promise.all(memories.map((memory) => memory.heap()))
    this.smallestHeap = Math.min(this.smallestHeap, ...this.heaps)
    this.peakBytes = Math.max(this.peakBytes, ...(await Promise.all(memories.map((memory) => memory.look()))))
  }

  get growth(): number {
    return this.heaps.length === 0 ? 0 : Math.max(...this.heaps) - this.smallestHeap
  }

  get line(): string {
    const { acknowledged = 0, delivered = 0, connected = 0, recovered = 0, lost = 0 } = this.counts
    return (
      `${this.rounds} rounds, ${acknowledged} acknowledged, ${delivered} delivered, ${connected} connections, ` +
      `${recovered} recovered, ${lost} honestly lost, ${this.wrong} wrong, heaps ${this.heaps.map(mebibytes).join(' and ')}`
    )
  }

  get table(): string {
    const { acknowledged, refused, delivered, recovered, lost, connected, resumed, begunAnew } = this.counts
    return table([
      ['rounds', this.rounds],
      ['acknowledged', acknowledged ?? 0],
      ['refused, for a time', refused ?? 0],
      ['delivered', delivered ?? 0],
      ['wrong', this.wrong],
      ['recoveries, complete', recovered ?? 0],
      ['recoveries, honestly lost', lost ?? 0],
      ['connections', connected ?? 0],
      ['  that resumed their session', resumed ?? 0],
      ['  that came too late for it', begunAnew ?? 0],
      ['most memory of a node, between rounds', mebibytes(this.peakBytes)],
      ['heap of the nodes at the end', this.heaps.map(mebibytes).join(', ')],
      ['this program stood still for at most', `${Math.round(this.heldUpMs)} ms`],
      ...this.struck,
    ])
  }
}

/** Rounds of clients and faults at random on a cluster of servers; gives the exit code. */
export const soakCluster = async (options: SoakOptions, { broker: kind, nodes }: ClusterChoice): Promise<number> => {
  const { durationMs, seed, clients } = options
  const missing = missingServer(...PROGRAMS[kind])
  if (missing !== undefined) {
    console.error(`✗ ${missing}`)
    return 1
  }
  console.log(`Soak for ${durationMs / 60_000} minutes: ${nodes} nodes over ${kind}, ${clients} clients at a time, seed ${seed}`)
  const random = new Random(seed)
  const ending = new Ending(durationMs)
  const sums = new Sums()
  try {
    await using broker = await startBrokerServers(kind)
    await using play = await Play.start(nodes, broker, random.fork(), { nodeFlags: WATCHED })
    const possible: readonly ClusterFault[] = [
      ...Object.values(NODE_FAULTS),
      ...brokerFaults(broker),
      ...(broker.isProxied ? CUTS : []),
    ]
    for (const { name } of possible) sums.struck.set(name, 0)
    while (!ending.isOver) {
      const faults = Array.from({ length: FAULTS_OF_A_ROUND }, () => random.pick(possible))
      sums.add(await play.round(`soak-${sums.rounds}`, clients, faults, ending.signal))
      await sums.look(play.nodes)
      console.log(`${ending.passedSeconds} s: ${sums.line}`)
    }
  } catch (error) {
    ending.fail((error as Error).message)
  }
  console.log(`\n${sums.table}`)
  return conclude(options, sums.wrong === 0, [
    ending.crash,
    sums.growth > MAX_GROWTH_BYTES && `the heap of a node is ${mebibytes(sums.growth)} larger than that of the smallest has been`,
  ])
}
