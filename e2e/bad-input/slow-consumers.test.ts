import { once } from 'node:events'
import { connect } from 'node:http2'
import { ALPN, PATHS, type Position, type Publication, type ServerMessage } from '@fusewire/protocol'
import { eventually } from '@fusewire/testkit'
import { describe, expect } from 'vitest'
import { harmTest } from '../bystanders.ts'
import type { FusewireProcess } from '../fusewire-process.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { openSocket } from '../wire/open-websocket.ts'
import { all, join } from '../wire/way.ts'
import { openWebSocket, webSocketWay } from '../wire/websocket-way.ts'

const CHANNEL = 'flood:x'
const PUBLICATION_BYTES = 50_000
const PER_BATCH = 20
const MAX_BATCHES = 60

const it = harmTest({
  ...DEVELOPMENT,
  // A whole batch may come within one turn; that must not be too much for one that reads.
  maxBufferedBytes: 2 * PER_BATCH * PUBLICATION_BYTES,
  rules: [
    { pattern: 'flood:*', historySize: 10_000, subscribe: 'anyone', publish: 'anyone', history: 'anyone' },
    { pattern: '**', subscribe: 'anyone', publish: 'anyone', history: 'anyone' },
  ],
})

const CONNECT = JSON.stringify({ type: 'connect', subscriptions: [{ channel: CHANNEL }] })

/** Opens a connection that is subscribed to the channel, and whose bytes nobody reads from now on. */
type OpenDeaf = (server: FusewireProcess) => Promise<{ destroy(): unknown }>

const deafWebSocket =
  (over: 'HTTP/1.1' | 'HTTP/2'): OpenDeaf =>
  async (server) => {
    const socket = await openWebSocket(server, over)
    socket.send(CONNECT)
    await eventually(() => expect(socket.messages.join('')).toContain('"subscribed"'))
    return socket.stream.pause()
  }

const request = (head: string, body = ''): string =>
  `${head} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`

const deafSocket =
  (alpn: string, says: string): OpenDeaf =>
  async (server) => {
    const socket = await openSocket(server.https, alpn)
    socket.write(says)
    let text = ''
    const listen = (chunk: Buffer): void => {
      text += chunk
    }
    socket.on('data', listen)
    await eventually(() => expect(text).toContain('subscribed'))
    return socket.off('data', listen).pause()
  }

const deafStream: OpenDeaf = async (server) => {
  const session = connect(server.https)
  session.on('error', () => {})
  const stream = session.request({ ':method': 'POST', ':path': PATHS.stream })
  stream.on('error', () => {}).once('close', () => session.destroy())
  stream.end(`${CONNECT}\n`)
  await once(stream, 'response')
  return stream.pause()
}

/** Opens a polling connection, and never polls. */
const deafPoll: OpenDeaf = async (server) => {
  const response = await fetch(server.https + PATHS.poll, { method: 'POST', body: `${CONNECT}\n` })
  expect(await response.text()).toContain('"open"')
  return { destroy: () => undefined }
}

const DEAF: readonly { readonly transport: string; readonly open: OpenDeaf }[] = [
  { transport: 'websocket', open: deafWebSocket('HTTP/1.1') },
  { transport: 'websocket-h2', open: deafWebSocket('HTTP/2') },
  { transport: 'sse', open: deafSocket('http/1.1', request(`GET ${PATHS.sse}?channel=${CHANNEL}`)) },
  { transport: 'stream', open: deafSocket('http/1.1', request(`POST ${PATHS.stream}`, `${CONNECT}\n`)) },
  { transport: 'stream', open: deafStream },
  { transport: 'poll', open: deafPoll },
  { transport: 'tcp', open: deafSocket(ALPN, `${CONNECT}\n`) },
]

describe('a client that never reads', () => {
  it('is cut off with slow_consumer at every way in, while one that reads gets everything', { timeout: 60_000 }, async ({
    server,
    api,
    onTestFinished,
  }) => {
    const reader = await webSocketWay('HTTP/1.1', 'json').open(server)
    onTestFinished(() => reader.destroy())
    await join(reader, CHANNEL)
    const deaf = await Promise.all(DEAF.map(({ open }) => open(server)))
    onTestFinished(() => {
      for (const stream of deaf) stream.destroy()
    })
    const cutOff = (): string[] => {
      const events = server.log.split('\n').filter((line) => line.includes('"slow_consumer"'))
      return events.map((line) => (JSON.parse(line) as { transport: string }).transport).sort()
    }

    const command = { publish: { channel: CHANNEL, data: 'x'.repeat(PUBLICATION_BYTES) } }
    const commands = Array.from({ length: PER_BATCH }, () => command)
    let published = 0
    for (let batch = 0; batch < MAX_BATCHES && cutOff().length < DEAF.length; batch++) {
      await api.post('batch', { commands })
      published += PER_BATCH
      await eventually(() => expect(reader.received.at(-1)).toMatchObject({ offset: published }), { timeoutMs: 20_000 })
    }
    expect(cutOff()).toEqual(DEAF.map(({ transport }) => transport).sort())
    expect(all(reader, 'publication').map(({ offset }) => offset)).toEqual(Array.from({ length: published }, (_, n) => n + 1))
  })
})

describe('a WebSocket that reads again after it was cut off', () => {
  it('finds the close code 4002, and recovers what it has not read', { timeout: 60_000 }, async ({
    server,
    api,
    onTestFinished,
  }) => {
    const channel = 'flood:again'
    const slow = await openWebSocket(server, 'HTTP/1.1')
    onTestFinished(() => slow.destroy())
    slow.send(JSON.stringify({ type: 'connect', subscriptions: [{ channel }] }))
    await eventually(() => expect(slow.messages.join('')).toContain('"subscribed"'))
    slow.stream.pause()
    const logged = server.log.length
    const commands = Array.from({ length: PER_BATCH }, () => ({ publish: { channel, data: 'x'.repeat(PUBLICATION_BYTES) } }))
    let published = 0
    while (!server.log.slice(logged).includes('slow_consumer')) {
      await api.post('batch', { commands })
      published += PER_BATCH
    }
    slow.stream.resume()
    await eventually(() => expect(slow.closed?.code).toBe(4002), { timeoutMs: 10_000 })
    const messages = slow.messages.flatMap((text) => String(text).split('\n')).map((line) => JSON.parse(line) as ServerMessage)
    const received = messages.filter(
      (message): message is ServerMessage & { type: 'publication' } => message.type === 'publication',
    )
    const subscribed = messages.find((message) => message.type === 'subscribed') as { position: Position }

    const since = { epoch: subscribed.position.epoch, offset: received.at(-1)?.offset ?? 0 }
    const next = await webSocketWay('HTTP/1.1', 'json').open(server)
    onTestFinished(() => next.destroy())
    const recovery = await join(next, channel, { since })
    expect(recovery).toMatchObject({ recovered: true })
    const missed: readonly Publication[] = recovery.publications ?? []
    const offsets = [...received, ...missed].map(({ offset }) => offset)
    expect(offsets).toEqual(Array.from({ length: published }, (_, n) => n + 1))
    expect(missed.length).toBeGreaterThan(0)
  })
})
