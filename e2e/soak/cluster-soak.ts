import { missingServer, Random } from '@fusewire/testkit'
import { type BrokerKind, PROGRAMS, startBrokerServers } from '../cluster/broker-servers.ts'
import { brokerFaults, type ClusterFault, CUTS, NODE_FAULTS } from '../cluster/faults.ts'
import { Play, type PlayCounts } from '../cluster/play.ts'
import { isOfNodesOwnClient } from '../nodes-own-client.ts'
import type { SoakOptions } from './soak-options.ts'

const FAULTS_OF_A_ROUND = 4
const SHOWN_PROBLEMS = 10

/** Rounds of clients and faults at random on a cluster of servers; gives the exit code. */
export const soakCluster = async (
  { durationMs, seed, clients }: SoakOptions,
  { broker: kind, nodes }: { readonly broker: BrokerKind; readonly nodes: number },
): Promise<number> => {
  const missing = missingServer(...PROGRAMS[kind])
  if (missing !== undefined) {
    console.error(`✗ ${missing}`)
    return 1
  }
  process.on('uncaughtException', (error) => {
    if (isOfNodesOwnClient(error)) return
    console.error(error)
    process.exit(1)
  })
  let isOver = false
  process.once('SIGINT', () => {
    isOver = true
  })
  console.log(`Soak for ${durationMs / 60_000} minutes: ${nodes} nodes over ${kind}, ${clients} clients at a time, seed ${seed}`)
  const random = new Random(seed)
  const beganAt = performance.now()
  const passedMs = (): number => performance.now() - beganAt
  await using broker = await startBrokerServers(kind)
  await using play = await Play.start(nodes, broker, random.fork())
  const possible: readonly ClusterFault[] = [
    ...Object.values(NODE_FAULTS),
    ...brokerFaults(broker),
    ...(broker.isProxied ? CUTS : []),
  ]
  const struck = new Map<string, number>(possible.map(({ name }) => [name, 0]))
  const sums: Record<string, number> = {}
  let problems = 0
  for (let round = 0; !isOver && passedMs() < durationMs; round++) {
    const faults = Array.from({ length: FAULTS_OF_A_ROUND }, () => random.pick(possible))
    const outcome = await play.round(`soak-${round}`, clients, faults)
    for (const { name } of faults) struck.set(name, (struck.get(name) ?? 0) + 1)
    for (const [name, count] of Object.entries(outcome.counts) as [keyof PlayCounts, number][])
      sums[name] = (sums[name] ?? 0) + count
    for (const problem of outcome.problems.slice(0, Math.max(0, SHOWN_PROBLEMS - problems))) console.error(`✗ ${problem}`)
    problems += outcome.problems.length
    const counts = Object.entries(sums).map(([name, count]) => `${count} ${name}`)
    console.log(`${Math.round(passedMs() / 1000)} s: ${round + 1} rounds, ${counts.join(', ')}, ${problems} wrong`)
  }
  console.log(`\n${[...struck].map(([name, count]) => `${String(count).padStart(5)}  ${name}`).join('\n')}`)
  console.log(problems === 0 ? '✓ every promise was held' : `✗ not every promise was held; to try again: --seed ${seed}`)
  return problems === 0 ? 0 : 1
}
