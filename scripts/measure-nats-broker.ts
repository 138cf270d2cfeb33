import { headers } from '@nats-io/transport-node'
import { parseNatsAddresses } from '../packages/server/src/brokers/nats/nats-address.ts'
import { NatsBroker } from '../packages/server/src/brokers/nats/nats-broker.ts'
import { NatsLink } from '../packages/server/src/brokers/nats/nats-link.ts'
import { nodeEnvironment } from '../packages/server/src/node-environment.ts'

/**
 * Publishes to a NATS server for some seconds, through the broker and as a bare loop of the same JetStream publishes, and prints
 * publications/s and how long each took.
 *
 *     node --conditions=@fusewire/source scripts/measure-nats-broker.ts nats://127.0.0.1:4222 [replicas] [seconds]
 */
const [url = 'nats://127.0.0.1:4222', replicasText = '1', secondsText = '4'] = process.argv.slice(2)
const replicas = Number(replicasText)
const seconds = Number(secondsText)
const data = { text: 'x'.repeat(100) }
const kept = { historySize: 100, historyTtlMs: 300_000, historyBytes: 1_000_000 }

const makeLink = (): NatsLink =>
  new NatsLink({ addresses: parseNatsAddresses(url.split(',')), timeoutMs: 5_000, name: 'measure' }, Math.random)

/** `lanes` publishers, each of which waits for its answer. */
const measure = async (name: string, lanes: number, publish: (lane: number) => Promise<unknown>): Promise<void> => {
  const times: number[] = []
  const run = async (until: number, isCounted: boolean): Promise<void> => {
    const lane = async (index: number): Promise<void> => {
      while (performance.now() < until) {
        const began = performance.now()
        await publish(index)
        if (isCounted) times.push(performance.now() - began)
      }
    }
    await Promise.all(Array.from({ length: lanes }, (_, index) => lane(index)))
  }
  await run(performance.now() + 1_000, false)
  const cpu = process.cpuUsage()
  const began = performance.now()
  await run(began + seconds * 1_000, true)
  const elapsed = performance.now() - began
  const { user, system } = process.cpuUsage(cpu)
  times.sort((one, other) => one - other)
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(2)
  const rate = Math.round((times.length / elapsed) * 1000)
  const micros = ((user + system) / times.length).toFixed(1)
  console.log(`${name.padEnd(44)} ${String(rate).padStart(7)}/s  p50 ${at(0.5)} ms  p99 ${at(0.99)} ms  ${micros} us CPU`)
}

const bareLink = makeLink()
const brokerLink = makeLink()
const broker = new NatsBroker(brokerLink, nodeEnvironment, { prefix: 'measure', replicas, idempotencyTtlMs: 300_000 })
await broker.start({ publication: () => undefined, interrupted: () => undefined, announcement: () => undefined })
await bareLink.open()
const session = bareLink.session()
await session.request(
  '$JS.API.STREAM.CREATE.bare',
  new TextEncoder().encode(
    JSON.stringify({
      name: 'bare',
      subjects: ['bare.c.>'],
      storage: 'file',
      num_replicas: replicas,
      allow_direct: true,
      max_age: 86_400_000_000_000,
      duplicate_window: 1_000_000_000,
      republish: { src: 'bare.c.>', dest: 'bare.d.>' },
    }),
  ),
)
let heard = 0
session.subscribe('bare.d.>', () => heard++)
const payload = new TextEncoder().encode(JSON.stringify({ data, padding: 'y'.repeat(200) }))
const sequences = new Map<string, number>()
const bare = async (channel: string): Promise<void> => {
  const expected = headers()
  expected.set('Nats-Expected-Last-Subject-Sequence', String(sequences.get(channel) ?? 0))
  const answer = await session.request(`bare.c.${channel}`, payload, expected)
  const { seq, error } = JSON.parse(new TextDecoder().decode(answer.data)) as { seq: number; error?: { description: string } }
  if (error) throw new Error(error.description)
  sequences.set(channel, seq)
}

for (const channels of [1, 64, 1024]) {
  const lanes = Math.min(channels, 256)
  for (let n = 0; n < Math.min(channels, 64); n++) await broker.subscribe(`c${n}`)
  await measure(`bare loop, ${channels} subjects, one at a time each`, lanes, (lane) => bare(`${process.pid}-${lane}`))
  await measure(`broker, ${channels} channels, one at a time each`, lanes, (lane) => broker.publish(`c${lane}`, { data }, kept))
}
for (const lanes of [16, 256])
  await measure(`broker, 1 channel, ${lanes} publishers`, lanes, () => broker.publish('c0', { data }, kept))
broker.close()
bareLink.close()
