import { eventually, Random } from '@fusewire/testkit'
import { encode } from '@msgpack/msgpack'
import { expect } from 'vitest'
import { harmTest } from '../bystanders.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { until, type WireClient } from '../wire/way.ts'
import { WAYS } from '../wire/ways.ts'

/** `FUSEWIRE_SEED` repeats a run. */
const SEED = Number(process.env.FUSEWIRE_SEED ?? Date.now() % 1_000_000)
const PAYLOADS = 60

const it = harmTest({ ...DEVELOPMENT, maxBadMessages: 10_000 })

const MESSAGES = [
  {
    type: 'connect',
    id: 1,
    name: 'fuzz',
    subscriptions: [{ channel: 'fuzz', since: { epoch: 'e', offset: 3 }, tags: { a: 'b' } }],
  },
  { type: 'subscribe', id: 2, channel: 'fuzz', presence: true, tags: { lang: 'cs' } },
  { type: 'publish', id: 3, channel: 'fuzz', data: { deep: [1, [2, { three: null }]], text: 'žluťoučký' }, key: 'k' },
  { type: 'history', id: 4, channel: 'fuzz', limit: 3, reverse: true },
  { type: 'refresh', id: 5, token: 'a.b.c' },
  { type: 'unsubscribe', id: 6, channel: 'fuzz' },
  { type: 'rpc', id: 7, method: 'none', data: [true, false, -1, 1.5e300] },
  { type: 'echo', id: 8, data: 'ě'.repeat(100) },
] as const

/** A message with some bytes changed, dropped, doubled or made up. */
const mutate = (bytes: Buffer, random: Random): Buffer => {
  let mutated = Buffer.from(bytes)
  for (let times = random.integer(1, 6); times > 0; times--) {
    const at = random.integer(0, Math.max(0, mutated.length - 1))
    const to = random.integer(at, mutated.length)
    const [before, middle, after] = [mutated.subarray(0, at), mutated.subarray(at, to), mutated.subarray(to)]
    const noise = Buffer.from(Array.from({ length: random.integer(1, 8) }, () => random.integer(0, 255)))
    mutated = Buffer.concat(
      random.pick([
        [before, noise, mutated.subarray(at + 1)],
        [before, after],
        [before, middle, middle, after],
        [before, noise, mutated.subarray(at)],
      ]),
    )
  }
  return mutated
}

it.for(WAYS)(`survives noise at $name, and still serves (seed ${SEED})`, async (way, { server, onTestFinished }) => {
  const random = new Random(SEED + WAYS.indexOf(way))
  const clients: WireClient[] = []
  onTestFinished(() => {
    for (const client of clients) client.destroy()
  })
  const open = async (): Promise<WireClient> => {
    const client = await way.open(server)
    clients.push(client)
    return client
  }
  let client = await open()
  for (let n = 0; n < PAYLOADS; n++) {
    const message = random.pick(MESSAGES)
    const bytes = way.encoding === 'json' ? Buffer.from(JSON.stringify(message)) : Buffer.from(encode(message))
    // A connection may be ended for it, and its requests then be refused.
    await client.sendPayload(mutate(bytes, random)).catch(() => undefined)
    if (random.next() < 0.1) await eventually(() => client.end !== undefined, { timeoutMs: 20 }).catch(() => undefined)
    if (client.end) client = await open()
  }
  const last = await open()
  last.send({ type: 'ping', id: 99 })
  await until(last, 'pong', { id: 99 })
  expect(last.end).toBeUndefined()
  expect(server.log).not.toContain('internal_error')
})
