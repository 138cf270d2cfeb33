import { startNats, startRedis } from '@fusewire/testkit'
import { coreWaitSecondsOfThreads, cpuSecondsOf } from '../load/core-time.ts'

export const BROKERS = ['redis', 'nats'] as const
export type BrokerName = (typeof BROKERS)[number]

/** A Redis or NATS on this machine, as a benchmark needs it: empty, and with nothing on disk that it would have to wait for. */
export interface BenchBroker {
  readonly name: BrokerName
  readonly url: string
  readonly port: number
  /** Seconds of CPU time that it has used so far; undefined where the system does not tell. */
  cpuSeconds(): number | undefined
  /** Seconds for which its threads, all together, had something to do and no core to do it on. */
  coreWaitSeconds(): number | undefined
  stop(): Promise<void>
}

export const startBroker = async (name: BrokerName): Promise<BenchBroker> => {
  const server = name === 'redis' ? await startRedis() : await startNats()
  return {
    name,
    url: server.url,
    port: server.port,
    cpuSeconds: () => cpuSecondsOf(server.pid),
    coreWaitSeconds: () => coreWaitSecondsOfThreads(server.pid),
    stop: () => server.stop(),
  }
}
