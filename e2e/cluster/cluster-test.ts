import { describeWith, Random } from '@fusewire/testkit'
import { expect, it, onTestFinished } from 'vitest'
import { type BrokerKind, type BrokerServers, PROGRAMS, startBrokerServers } from './broker-servers.ts'
import type { ClusterFault } from './faults.ts'
import { Play, type PlayCounts } from './play.ts'

/** `FUSEWIRE_SEED` repeats the choices of a run, though not its timing. */
const SEED = Number(process.env.FUSEWIRE_SEED ?? Date.now() % 1_000_000)

export interface ClusterTestOptions {
  readonly nodes: number
  readonly clients: number
  /** Long where no node stands still: on a busy machine a client is not to give up on a node that is late. */
  readonly pongTimeoutMs?: number
  readonly faults: (broker: BrokerServers) => readonly ClusterFault[]
  /** What has to have happened, so that the faults were none for show. */
  readonly happened?: (counts: PlayCounts) => void
}

/** Clients of all sorts on several real servers over this broker go through these faults, one after the other. */
export const clusterTest = (
  kind: BrokerKind,
  title: string,
  { nodes, clients, pongTimeoutMs = 15_000, faults, happened }: ClusterTestOptions,
): void =>
  describeWith(PROGRAMS[kind], `${nodes} nodes over ${kind}`, () => {
    it(`${title} (seed ${SEED})`, { timeout: 300_000 }, async () => {
      const random = new Random(SEED)
      const broker = await startBrokerServers(kind)
      onTestFinished(() => broker[Symbol.asyncDispose]())
      const play = await Play.start(nodes, broker, random.fork(), { pongTimeoutMs })
      onTestFinished(() => play[Symbol.asyncDispose]())
      const { problems, counts } = await play.round('test', clients, faults(broker))
      expect(problems).toEqual([])
      expect(counts.acknowledged).toBeGreaterThan(50)
      happened?.(counts)
    })
  })
