import { eventually } from '@fusewire/testkit'
import { describe, expect, onTestFinished } from 'vitest'
import { harmTest } from '../bystanders.ts'
import type { FusewireProcess } from '../fusewire-process.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { all, until, type Way, type WireClient } from '../wire/way.ts'
import { WAYS } from '../wire/ways.ts'

const MESSAGES = { messagesPerSecond: 5, messagesBurst: 100, maxRateLimited: 200 }
const BYTES = { bytesPerSecond: 1000, bytesBurst: 50_000 }
const it = harmTest({ ...DEVELOPMENT, ...MESSAGES, ...BYTES })

const connected = async (way: Way, server: FusewireProcess): Promise<WireClient> => {
  const client = await way.open(server)
  onTestFinished(() => client.destroy())
  client.send({ type: 'connect' })
  await until(client, 'connected')
  return client
}

const pings = (count: number) => Array.from({ length: count }, (_, id) => ({ type: 'ping', id }))

const refusals = (client: WireClient) => all(client, 'error').filter(({ code }) => code === 'rate_limited')

const waitsAndGoesOn = async (way: Way, server: FusewireProcess): Promise<void> => {
  const client = await connected(way, server)
  const sentAt = performance.now()
  client.send(...pings(150))
  await eventually(() => expect(all(client, 'pong').length + refusals(client).length).toBe(150))
  expect(all(client, 'pong').length).toBeGreaterThan(90)
  const refilled = ((performance.now() - sentAt) / 1000) * MESSAGES.messagesPerSecond
  expect(all(client, 'pong').length).toBeLessThan(Math.min(150, MESSAGES.messagesBurst + refilled + 10))
  for (const { id, retryAfterMs } of refusals(client)) {
    expect(id).toBeGreaterThan(90)
    expect(retryAfterMs).toBeLessThanOrEqual(1000 / MESSAGES.messagesPerSecond)
  }
  const before = all(client, 'pong').length
  // Seldom: a poll counts as a message too, and who asks all the time leaves nothing over for what it asks.
  await eventually(
    () => {
      client.send({ type: 'ping' })
      expect(all(client, 'pong').length).toBeGreaterThan(before)
    },
    { intervalMs: 1000, timeoutMs: 15_000 },
  )
  expect(client.end).toBeUndefined()
}

it('messages beyond the burst are refused on every way in, and the session goes on when it has waited', async ({ server }) => {
  const waiting = WAYS.map((way) =>
    waitsAndGoesOn(way, server).catch((cause: unknown) => {
      throw new Error(`over ${way.name}: ${cause}`, { cause })
    }),
  )
  await Promise.all(waiting)
})

describe.each(WAYS)('over $name', (way) => {
  it('a client that goes on regardless is disconnected, and its session has no new burst', async ({ server }) => {
    const client = await connected(way, server)
    for (let n = 0; n < 10 && client.end === undefined; n++) client.send(...pings(50))
    expect(await until(client, 'disconnect')).toMatchObject({ code: 'rate_limited', closeCode: 4005, reconnect: true })
    await eventually(() => expect(client.end).toBeDefined())
    const again = await way.open(server)
    onTestFinished(() => again.destroy())
    again.send({ type: 'connect', resume: all(client, 'connected')[0]?.resume })
    expect(await until(again, 'connected')).toMatchObject({ resumed: true })
    again.send(...pings(60))
    await eventually(() => expect(refusals(again).length).toBeGreaterThan(0))
  })

  it('bytes beyond the burst are refused', async ({ server, api }) => {
    const client = await connected(way, server)
    const data = 'x'.repeat(20_000)
    for (let id = 1; id <= 4; id++) client.send({ type: 'publish', id, channel: 'flood', data })
    await eventually(() => expect(all(client, 'result').length + refusals(client).length).toBe(4))
    expect(all(client, 'result').length).toBe(2)
    expect(await api.metric('fusewire_refusals_total', { limit: 'bytesPerSecond' })).toBeGreaterThan(0)
  })
})
