/**
 * What it costs a worker to publish through the primary of its server: a round trip, and the CPU time of both.
 * Run with `node --conditions=@fusewire/source scripts/hub-costs.ts`.
 */
import { spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { MemoryBroker } from '../packages/engine/src/index.ts'
import { Hub } from '../packages/server/src/brokers/hub/hub.ts'
import { hubBackend } from '../packages/server/src/brokers/hub/hub-backend.ts'
import { nodeEnvironment } from '../packages/server/src/node-environment.ts'

/** Where a worker finds its socket. */
const FD = 3
const ROUND_TRIPS = 10_000
const PUBLICATIONS = 200_000
/** Publications under way at a time. */
const WINDOW = 256
const DRAFT = { data: 'x'.repeat(128), sender: { session: 'xxxxxxxxxxxx' } }
const KEPT = { historySize: 100, historyTtlMs: 300_000, historyBytes: 8_388_608 }

const cpuUs = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since)
  return user + system
}

const worker = async (subscribes: boolean): Promise<void> => {
  const socket = new Socket({ fd: FD, readable: true, writable: true })
  const { broker } = hubBackend(socket, { node: 'bench', environment: nodeEnvironment, log: () => undefined, timeoutMs: 5000 })
  await broker.start({ publication: () => undefined, interrupted: () => undefined, announcement: () => undefined })
  if (subscribes) await broker.subscribe('bench')
  const publish = () => broker.publish('bench', DRAFT, KEPT)
  const tookMs: number[] = []
  for (let n = 0; n < 2 * ROUND_TRIPS; n++) {
    const begin = performance.now()
    await publish()
    if (n >= ROUND_TRIPS) tookMs.push(performance.now() - begin)
  }
  tookMs.sort((a, b) => a - b)
  const quantile = (q: number): string => `${Math.round((tookMs[Math.floor(q * ROUND_TRIPS)] ?? 0) * 1000)} µs`
  const many = async (count: number): Promise<void> => {
    let left = count
    const publisher = async (): Promise<void> => {
      while (left-- > 0) await publish()
    }
    await Promise.all(Array.from({ length: WINDOW }, publisher))
  }
  await many(PUBLICATIONS / 4)
  const [cpu, begin] = [process.cpuUsage(), performance.now()]
  await many(PUBLICATIONS)
  const perSecond = Math.round((1000 * PUBLICATIONS) / (performance.now() - begin))
  const perPublication = (cpuUs(cpu) / PUBLICATIONS).toFixed(1)
  console.log(`${subscribes ? 'publishes and hears it' : 'publishes'}: round trip p50 ${quantile(0.5)}, p99 ${quantile(0.99)};`)
  console.log(`  ${WINDOW} under way: ${perSecond} publications/s, ${perPublication} µs of CPU for each in the worker`)
  process.exit(0)
}

const primary = async (role: 'publisher' | 'subscriber'): Promise<void> => {
  const hub = new Hub(new MemoryBroker(nodeEnvironment), nodeEnvironment, { maxRevocations: 1, presenceTtlMs: 60_000 })
  await hub.start()
  const args = [...process.execArgv, fileURLToPath(import.meta.url), role]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] })
  const cpu = process.cpuUsage()
  hub.accept(child.stdio[FD] as Socket)
  await new Promise((resolve) => child.once('exit', resolve))
  const count = 2 * ROUND_TRIPS + 1.25 * PUBLICATIONS
  console.log(`  ${(cpuUs(cpu) / count).toFixed(1)} µs of CPU for each in the primary`)
  await hub.close()
}

const [, , role] = process.argv
if (role === 'publisher' || role === 'subscriber') await worker(role === 'subscriber')
else for (const each of ['publisher', 'subscriber'] as const) await primary(each)
