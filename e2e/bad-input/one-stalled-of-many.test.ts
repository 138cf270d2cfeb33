import { eventually } from '@fusewire/testkit'
import { expect } from 'vitest'
import { serverTest } from '../server-test.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import type { RawWebSocket } from '../wire/raw-websocket.ts'
import { stallingWebSocket } from '../wire/stalling-client.ts'
import type { Endpoints } from '../wire/way.ts'
import { openWebSocket } from '../wire/websocket-way.ts'

const READERS = 999
const OPENED_AT_A_TIME = 50
const ROUNDS = 200
/** In each round so much goes to the stalled client, and one publication to everyone. */
const PER_ROUND = 20
const PUBLICATION_BYTES = 50_000
const KEYS = ['a', 'b', 'c', 'd']
const MIB = 1_048_576
/** What the server may grow by; the stalled client is sent more than twice as much meanwhile. */
const MAX_GROWTH = 64 * MIB

const open = { subscribe: 'anyone', publish: 'anyone', history: 'anyone' } as const

const it = serverTest({
  ...DEVELOPMENT,
  maxBufferedBytes: 2 * MIB,
  // A thousand readers in one process may be slow to answer a ping, and that is not what ends one here.
  pingIntervalMs: 3_600_000,
  rules: [
    { pattern: 'ticks:*', historySize: 0, slowConsumer: 'latest', conflationTag: 'key', ...open },
    { pattern: 'flood:*', historySize: 0, ...open },
    { pattern: '**', ...open },
  ],
})

/** Plain WebSockets, subscribed to the channel, that look at nothing but offsets. */
const openReaders = async (server: Endpoints, channel: string): Promise<RawWebSocket[]> => {
  const sockets: RawWebSocket[] = []
  for (let first = 0; first < READERS; first += OPENED_AT_A_TIME) {
    const count = Math.min(OPENED_AT_A_TIME, READERS - first)
    sockets.push(...(await Promise.all(Array.from({ length: count }, () => openWebSocket(server, 'HTTP/1.1 in the clear')))))
  }
  for (const socket of sockets) socket.send(JSON.stringify({ type: 'connect', subscriptions: [{ channel }] }))
  await eventually(() => sockets.every(({ messages }) => messages.join('').includes('"subscribed"')), { timeoutMs: 20_000 })
  for (const { messages } of sockets) messages.length = 0
  return sockets
}

const offsetsOf = (messages: readonly (string | Buffer)[]): number[] =>
  messages.flatMap((message) => `${message}`.split('\n').map((line) => (JSON.parse(line) as { offset: number }).offset))

it.for(['ticks:stalled', 'flood:stalled'])(
  'one client that stalls in %s costs 999 others nothing of what they are sent, and the server no growing memory',
  { timeout: 180_000 },
  async (stalledIn, { server, api, onTestFinished }) => {
    const channel = `news:${stalledIn.split(':')[0]}`
    const readers = await openReaders(server, channel)
    onTestFinished(() => {
      for (const reader of readers) reader.destroy()
    })
    const stalled = await stallingWebSocket('HTTP/1.1').open(server, stalledIn)
    onTestFinished(() => stalled.destroy())
    stalled.stall()

    const memory = () => api.metric('process_resident_memory_bytes')
    const round = async () => {
      const commands = Array.from({ length: PER_ROUND }, (_, index) => {
        const key = KEYS[index % KEYS.length] ?? ''
        return { publish: { channel: stalledIn, data: key.repeat(PUBLICATION_BYTES), tags: { key } } }
      })
      await api.post('batch', { commands })
      await api.publish(channel, 'x'.repeat(100))
    }
    // What the server needs to take such requests at all, it has after some of them.
    for (let warm = 0; warm < ROUNDS / 4; warm++) await round()
    const before = await memory()
    let peak = before
    for (let n = ROUNDS / 4; n < ROUNDS; n++) {
      await round()
      if (n % 10 === 0) peak = Math.max(peak, await memory())
    }

    const expected = Array.from({ length: ROUNDS }, (_, index) => index + 1)
    for (const reader of readers) {
      await eventually(() => expect(reader.messages.join('')).toContain(`"offset":${ROUNDS}`), { timeoutMs: 20_000 })
      expect(offsetsOf(reader.messages)).toEqual(expected)
      expect(reader.ended).toBe(false)
    }
    expect(peak - before).toBeLessThan(MAX_GROWTH)
    const isLatest = stalledIn.startsWith('ticks:')
    expect(server.log.includes('"slow_consumer"')).toBe(!isLatest)
    expect(await api.metric('fusewire_connections_behind', { transport: 'websocket' })).toBe(isLatest ? 1 : 0)
  },
)
