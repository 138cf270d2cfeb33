import { eventually, FaultProxy } from '@fusewire/testkit'
import { describe, vi } from 'vitest'
import { harmTest } from '../bystanders.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { handshakeHead, openSocket } from '../wire/open-websocket.ts'
import { readUntil } from '../wire/read-until.ts'
import { join, until } from '../wire/way.ts'
import { WAYS } from '../wire/ways.ts'

// These tests do little but wait, so all of them wait at a time.
vi.setConfig({ maxConcurrency: 100 })

const it = harmTest({
  ...DEVELOPMENT,
  handshakeTimeoutMs: 2000,
  connectTimeoutMs: 2000,
  pingIntervalMs: 1000,
  pongTimeoutMs: 2000,
  sessionTtlMs: 500,
})

/** In the clear raw TCP has to say something to be known for what it is. */
const SILENT_WAYS = WAYS.filter(({ name }) => name !== 'raw TCP over cleartext')

/** Leave timeouts of the server time to come. */
const PATIENCE = { timeoutMs: 20_000 }

describe('a client that says nothing, or not enough', { concurrent: true }, () => {
  /** What it says, and what the server answers before it hangs up. */
  const HALF_OPEN = [
    { name: 'nothing, in the clear', base: 'http', says: '', hears: /^$/u },
    { name: 'nothing, before the TLS handshake', base: 'tls', says: '', hears: /^$/u },
    { name: 'a part of a TLS handshake', base: 'tls', says: '\x16\x03\x01\x00\xee\x01', hears: /^$/u },
    { name: 'nothing, after the TLS handshake', base: 'https', says: '', hears: /^(HTTP\/1\.1 408 .*"request_timeout".*)?$/su },
    { name: 'a part of the HTTP/2 preface', base: 'http', says: 'PRI * HTTP/2', hears: /^HTTP\/1\.1 408 .*"request_timeout"/su },
    { name: 'a part of a head', base: 'http', says: 'GET / HTTP/1.1\r\nHost: a', hears: /^HTTP\/1\.1 408 .*"request_timeout"/su },
    {
      name: 'a part of a WebSocket handshake',
      base: 'https',
      says: handshakeHead().slice(0, -4),
      hears: /^HTTP\/1\.1 408 .*"request_timeout"/su,
    },
    { name: 'nothing, over HTTP/2', base: 'h2', says: '', hears: /.*/su },
    {
      name: 'nothing, over raw TCP',
      base: 'fusewire/1',
      says: '',
      hears: /^\{"type":"disconnect","code":"connect_timeout".*\n$/u,
    },
    {
      name: 'half a line, over raw TCP',
      base: 'fusewire/1',
      says: '{"type":"con',
      hears: /^\{"type":"disconnect","code":"connect_timeout".*\n$/u,
    },
  ]

  it.for(SILENT_WAYS)('is ended with connect_timeout at $name [P15]', async (way, { server, expect, onTestFinished }) => {
    const client = await way.open(server)
    onTestFinished(() => client.destroy())
    await eventually(() => expect(client.end).toBeDefined(), PATIENCE)
    expect(client.received.at(-1)).toMatchObject({ type: 'disconnect', code: 'connect_timeout', closeCode: 4204 })
    if (way.framing === 'websocket') expect(client.end).toEqual({ closeCode: 4204 })
  })

  it.for(HALF_OPEN)('is hung up on: $name', async ({ base, says, hears }, { server, expect }) => {
    const socket = await (base === 'http'
      ? openSocket(server.http)
      : base === 'tls'
        ? openSocket(server.https.replace('https', 'http'))
        : openSocket(server.https, base === 'https' ? 'http/1.1' : base))
    socket.write(Buffer.from(says, 'latin1'))
    const { text } = await readUntil(socket, undefined)
    expect(text).toMatch(hears)
    socket.destroy()
  })
})

describe('a client that was there', { concurrent: true }, () => {
  it.for(WAYS)(
    'and stops its heartbeat is ended with heartbeat_timeout at $name [H3]',
    async (way, { server, expect, onTestFinished }) => {
      const client = await way.open(server)
      onTestFinished(() => client.destroy())
      client.send({ type: 'connect' }, { type: 'PING' })
      await until(client, 'pong')
      await eventually(() => expect(client.end).toBeDefined(), PATIENCE)
      expect(client.received.at(-1)).toMatchObject({
        type: 'disconnect',
        code: 'heartbeat_timeout',
        closeCode: 4003,
        reconnect: true,
      })
    },
  )
})

describe('a network that swallows everything without a word', { concurrent: true }, () => {
  it('is found out by the ping that no pong answers, and presence leaves', async ({ server, api, expect, onTestFinished }) => {
    const line = await FaultProxy.start(server.httpsPort)
    onTestFinished(() => line.close())
    const ways = WAYS.filter(({ framing, name }) => framing === 'websocket' && !name.includes('clear'))
    for (const way of ways) {
      const client = await way.open({ https: `https://localhost:${line.port}`, http: server.http })
      onTestFinished(() => client.destroy())
      await join(client, 'swallowed')
    }
    expect((await api.presence('swallowed')).members).toHaveLength(ways.length)
    line.inject({ kind: 'half-open', direction: 'both' })
    await eventually(async () => expect((await api.presence('swallowed')).members).toEqual([]), PATIENCE)
  })
})
