import type { Position, Publication, ServerMessage } from '@fusewire/protocol'
import { eventually } from '@fusewire/testkit'
import { describe, expect } from 'vitest'
import type { Api } from '../api.ts'
import { harmTest } from '../bystanders.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { STALLING_WAYS, type StallingClient, type StallingWay } from '../wire/stalling-client.ts'
import { all, join } from '../wire/way.ts'
import { openWebSocket, webSocketWay } from '../wire/websocket-way.ts'

const PUBLICATION_BYTES = 50_000
const PER_BATCH = 20
const MAX_BATCHES = 60
/** As many batches in a row, of which not one publication leaves the server, are no chance. */
const FULL_BATCHES = 5
const KEYS = ['a', 'b', 'c', 'd', 'e']

const open = { subscribe: 'anyone', publish: 'anyone', history: 'anyone' } as const

const it = harmTest({
  ...DEVELOPMENT,
  // A whole batch may come within one turn; that must not be too much for one that reads.
  maxBufferedBytes: 2 * PER_BATCH * PUBLICATION_BYTES,
  rules: [
    { pattern: 'flood:*', historySize: 10_000, historyBytes: 1_073_741_824, ...open },
    { pattern: 'ticks:*', historySize: 0, slowConsumer: 'latest', conflationTag: 'key', ...open },
    { pattern: '**', ...open },
  ],
})

/** The key of the publication with this offset. */
const keyOf = (offset: number): string => KEYS[(offset - 1) % KEYS.length] ?? ''

/** Publishes the next batch; `published` are there already. Returns how many are there then. */
const publishBatch = async (api: Api, channel: string, published: number): Promise<number> => {
  const commands = Array.from({ length: PER_BATCH }, (_, index) => {
    const key = keyOf(published + index + 1)
    return { publish: { channel, data: key.repeat(PUBLICATION_BYTES), tags: { key } } }
  })
  await api.post('batch', { commands })
  return published + PER_BATCH
}

const publicationsOf = ({ received }: Pick<StallingClient, 'received'>): (ServerMessage & { type: 'publication' })[] =>
  received.filter((message): message is ServerMessage & { type: 'publication' } => message.type === 'publication')

const upTo = (offset: number): number[] => Array.from({ length: offset }, (_, index) => index + 1)

/** The transports of which the log, from a point on, has this event: one for each connection. */
const loggedTransports = (log: string, event: string): string[] =>
  log
    .split('\n')
    .filter((line) => line.includes(`"${event}"`))
    .map((line) => (JSON.parse(line) as { transport: string }).transport)
    .sort()

describe('a client that never reads', () => {
  it('is cut off with slow_consumer at every way in, while one that reads gets everything; back again it recovers everything', {
    timeout: 120_000,
  }, async ({ server, api, onTestFinished }) => {
    const channel = 'flood:x'
    const reader = await webSocketWay('HTTP/1.1', 'json').open(server)
    onTestFinished(() => reader.destroy())
    await join(reader, channel)
    const stalled = await Promise.all(STALLING_WAYS.map((way) => way.open(server, channel)))
    onTestFinished(() => {
      for (const client of stalled) client.destroy()
    })
    for (const client of stalled) client.stall()
    const cutOff = (): string[] => loggedTransports(server.log, 'slow_consumer')

    let published = 0
    for (let batch = 0; batch < MAX_BATCHES && cutOff().length < stalled.length; batch++) {
      published = await publishBatch(api, channel, published)
      await eventually(() => expect(reader.received.at(-1)).toMatchObject({ offset: published }), { timeoutMs: 20_000 })
    }
    expect(cutOff()).toEqual(STALLING_WAYS.map(({ transport }) => transport).sort())
    expect(all(reader, 'publication').map(({ offset }) => offset)).toEqual(upTo(published))
    for (const { transport } of STALLING_WAYS) {
      const named = STALLING_WAYS.filter((way) => way.transport === transport).length
      expect(await api.metric('fusewire_slow_consumers_disconnected_total', { transport }), transport).toBe(named)
      expect(await api.metric('fusewire_connections_behind', { transport }), transport).toBe(0)
    }

    for (const [index, client] of stalled.entries()) {
      const name = STALLING_WAYS[index]?.name
      client.readOn()
      await eventually(() => expect(client.isEnded, name).toBe(true), { timeoutMs: 20_000 })
      const read = publicationsOf(client).map(({ offset }) => offset)
      const { position } = client.received.find(({ type }) => type === 'subscribed') as { position: Position }
      const next = await webSocketWay('HTTP/1.1', 'json').open(server)
      onTestFinished(() => next.destroy())
      const since = { epoch: position.epoch, offset: read.at(-1) ?? 0 }
      // Many MB in one message.
      const recovery = await join(next, channel, { since, timeoutMs: 20_000 })
      expect(recovery.recovered, name).toBe(true)
      const missed: readonly Publication[] = recovery.publications ?? []
      expect(missed.length, name).toBeGreaterThan(0)
      expect([...read, ...missed.map(({ offset }) => offset)], name).toEqual(upTo(published))
      next.destroy()
    }
  })
})

describe('a client that stops reading a channel with latest', () => {
  const stalls = (way: StallingWay) =>
    it(`[S10] stays, and gets the newest of each key when it reads on, over ${way.name}`, { timeout: 60_000 }, async ({
      server,
      api,
      onTestFinished,
    }) => {
      const channel = `ticks:${way.name.replaceAll(' ', '-')}`
      const client = await way.open(server, channel)
      onTestFinished(() => client.destroy())
      expect(client.received.find(({ type }) => type === 'subscribed')).toMatchObject({ conflated: true })
      client.stall()
      const logged = server.log.length
      const { transport } = way
      const conflated = () => api.metric('fusewire_publications_conflated_total', { transport })
      let published = 0
      // The sockets of both sides take some MiB. They are full when every publication of a batch makes another one give way.
      for (let batch = 0, full = 0; full < FULL_BATCHES; batch++) {
        expect(batch).toBeLessThan(MAX_BATCHES)
        const before = await conflated()
        published = await publishBatch(api, channel, published)
        full = (await conflated()) === before + PER_BATCH ? full + 1 : 0
      }
      expect(await api.metric('fusewire_connections_behind', { transport })).toBe(1)

      client.readOn()
      await eventually(() => expect(publicationsOf(client).at(-1)?.offset).toBe(published), { timeoutMs: 20_000 })
      expect(client.isEnded).toBe(false)
      const got = publicationsOf(client)
      const offsets = got.map(({ offset }) => offset)
      expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b))
      expect(offsets.length).toBeLessThan(published)
      // Keys come in turns: the newest of each are the last publications there are.
      expect(offsets.slice(-KEYS.length)).toEqual(upTo(published).slice(-KEYS.length))
      for (const { offset, data } of got) expect(data === keyOf(offset).repeat(PUBLICATION_BYTES), `${offset}`).toBe(true)
      expect(loggedTransports(server.log.slice(logged), 'slow_consumer_conflated')).toEqual([transport])
      expect(loggedTransports(server.log.slice(logged), 'slow_consumer')).toEqual([])
      expect(await api.metric('fusewire_connections_behind', { transport })).toBe(0)

      const { position } = await api.publish(channel, 'one more', { tags: { key: 'a' } })
      await eventually(() => expect(publicationsOf(client).at(-1)?.offset).toBe(position.offset), { timeoutMs: 20_000 })
    })

  for (const way of STALLING_WAYS) stalls(way)
})

describe('a WebSocket that reads again after it was cut off', () => {
  it('finds the close code 4002', { timeout: 60_000 }, async ({ server, api, onTestFinished }) => {
    const channel = 'flood:again'
    const slow = await openWebSocket(server, 'HTTP/1.1')
    onTestFinished(() => slow.destroy())
    slow.send(JSON.stringify({ type: 'connect', subscriptions: [{ channel }] }))
    await eventually(() => expect(slow.messages.join('')).toContain('"subscribed"'))
    slow.stream.pause()
    const logged = server.log.length
    let published = 0
    while (!server.log.slice(logged).includes('slow_consumer')) published = await publishBatch(api, channel, published)
    slow.stream.resume()
    await eventually(() => expect(slow.closed?.code).toBe(4002), { timeoutMs: 10_000 })
  })
})
