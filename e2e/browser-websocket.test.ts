import { FaultProxy } from '@fusewire/testkit'
import { describe, expect } from 'vitest'
import { browserTest, pageOf, poll, readMetric } from './browser-test.ts'
import { openTab, type Tab } from './chromium.ts'
import type { FusewireProcess } from './fusewire-process.ts'
import { DEVELOPMENT } from './server-variants.ts'
import { hasTool } from './tools.ts'

const it = browserTest(DEVELOPMENT)

const DEFLATE = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'

const openSocket = async ({ page }: Tab, url: string, protocols: string[] = []) => {
  const socket = await page.evaluateHandle(([at, offered]) => recorder.openSocket(at, offered), [url, protocols] as const)
  const agreed = await socket.evaluate((each) => each.opened)
  const messages = async () =>
    (await socket.evaluate((each) => each.messages)).map((each) => (typeof each === 'string' ? JSON.parse(each) : each))
  return {
    agreed,
    messages,
    send: (data: string | number[]) => socket.evaluate((each, sent) => each.send(sent), data),
    say: (message: object) => socket.evaluate((each, sent) => each.send(sent), JSON.stringify(message)),
    close: (code: number, reason: string) =>
      socket.evaluate(({ socket }, [code, reason]) => socket.close(code, reason), [code, reason] as const),
    closed: () => poll(() => socket.evaluate((each) => each.closed)),
  }
}

/** Pages whose WebSockets go over HTTP/2, because the browser holds a connection, and over HTTP/1.1, because there is no TLS. */
const VERSIONS = [
  { version: 'HTTP/2', transport: 'websocket-h2', base: ({ https }: FusewireProcess) => https },
  { version: 'HTTP/1.1', transport: 'websocket', base: ({ http }: FusewireProcess) => http },
] as const

describe.skipIf(!hasTool('chromium'))('a bare WebSocket of a page', () => {
  describe.each(VERSIONS)('over $version', ({ transport, base }) => {
    it('sends {"type":"PING"} and hears of it [H4]', async ({ server, browser }) => {
      const before = await readMetric(server, 'fusewire_connections_opened_total', transport)
      const tab = await openTab(browser, pageOf(base(server)))
      const socket = await openSocket(tab, '/ws')
      expect(socket.agreed).toEqual({ protocol: '', extensions: DEFLATE })
      await socket.send('{"type":"PING"}')
      await poll(socket.messages).toEqual([{ type: 'pong' }])
      expect(await readMetric(server, 'fusewire_connections_opened_total', transport)).toBe(before + 1)
      expect(await readMetric(server, 'fusewire_connections', transport)).toBe(1)
      await socket.close(1000, 'enough')
      await socket.closed().toEqual({ code: 1000, reason: 'enough', wasClean: true })
      await poll(() => readMetric(server, 'fusewire_connections', transport)).toBe(0)
      expect(tab.problems).toEqual([])
    })

    it('connects, subscribes and publishes by hand', async ({ server, api, browser }) => {
      const channel = `hand:${transport}`
      const tab = await openTab(browser, pageOf(base(server)))
      const socket = await openSocket(tab, '/fusewire/v1/ws', ['unknown', 'fusewire.v1.json'])
      expect(socket.agreed.protocol).toBe('fusewire.v1.json')
      await socket.say({ type: 'connect', id: 1, subscriptions: [{ channel }] })
      await socket.say({ type: 'publish', id: 2, channel, data: 'from the page' })
      await poll(socket.messages).toEqual([
        expect.objectContaining({ type: 'connected', id: 1, resumed: false, development: true }),
        expect.objectContaining({ type: 'subscribed', channel, position: { epoch: expect.any(String), offset: 0 } }),
        expect.objectContaining({ type: 'publication', channel, offset: 1, data: 'from the page' }),
        { type: 'result', id: 2, data: { position: { epoch: expect.any(String), offset: 1 } } },
      ])
      await api.publish(channel, 'from outside')
      await poll(async () => (await socket.messages()).at(-1)).toMatchObject({ offset: 2, data: 'from outside' })
      await socket.say({ type: 'disconnect' })
      await socket.closed().toMatchObject({ code: 1000, wasClean: true })
      expect(tab.problems).toEqual([])
    })

    it('inflates what the server has compressed', async ({ server, api, browser }) => {
      const channel = `deflate:${transport}`
      const tab = await openTab(browser, pageOf(base(server)))
      const socket = await openSocket(tab, '/ws')
      await socket.say({ type: 'connect', subscriptions: [{ channel }] })
      await poll(socket.messages).toHaveLength(2)
      const before = await readMetric(server, 'fusewire_sent_bytes_total', transport)
      const texts = [...'abcde'].map((letter) => `${letter} příliš žluťoučký kůň `.repeat(1000))
      for (const text of texts) await api.publish(channel, text)
      await poll(async () => (await socket.messages()).slice(2).map(({ data }) => data)).toEqual(texts)
      // Five times 30 kB.
      const sent = (await readMetric(server, 'fusewire_sent_bytes_total', transport)) - before
      expect(sent).toBeGreaterThan(500)
      expect(sent).toBeLessThan(15_000)
      expect(tab.problems).toEqual([])
    })

    it('is told by code and reason why the server ends it [C1]', async ({ server, api, browser }) => {
      const tab = await openTab(browser, pageOf(base(server)))
      const socket = await openSocket(tab, '/ws')
      await socket.say({ type: 'connect' })
      await poll(socket.messages).toHaveLength(1)
      const [{ session }] = await socket.messages()
      await api.post('disconnect', { session })
      await socket.closed().toEqual({ code: 4206, reason: 'The application has disconnected this user.', wasClean: true })
      expect((await socket.messages()).at(-1)).toMatchObject({
        type: 'disconnect',
        code: 'disconnected',
        closeCode: 4206,
        reconnect: false,
      })
      expect(tab.problems).toEqual([])
    })

    it('gets every frame back from the echo, text and binary', async ({ server, browser }) => {
      const tab = await openTab(browser, pageOf(base(server)))
      const socket = await openSocket(tab, '/fusewire/v1/echo', ['whatever'])
      expect(socket.agreed).toEqual({ protocol: 'whatever', extensions: DEFLATE })
      const sent = [
        '"hello"',
        [0, 255, 128],
        '""',
        [],
        JSON.stringify('ž'.repeat(30_000)),
        Array.from({ length: 65_536 }, (_, i) => i % 251),
      ]
      for (const each of sent) await socket.send(each)
      await poll(socket.messages).toEqual(sent.map((each) => (typeof each === 'string' ? JSON.parse(each) : each)))
      await socket.close(4999, 'bye')
      await socket.closed().toEqual({ code: 4999, reason: 'bye', wasClean: true })
      expect(tab.problems).toEqual([])
    })
  })

  it('shares one connection with the page and fifty others over HTTP/2', async ({ server, api, browser }) => {
    await using line = await FaultProxy.start(server.httpsPort)
    const { page, problems } = await openTab(browser, pageOf(`https://localhost:${line.port}`))
    const crowd = await page.evaluateHandle(async () => {
      const sockets: ReturnType<typeof recorder.openSocket>[] = []
      // Chromium slows a page down that opens many at once.
      while (sockets.length < 50) {
        const socket = recorder.openSocket('/ws')
        sockets.push(socket)
        await socket.opened
      }
      for (const socket of sockets) socket.send('{"type":"connect","subscriptions":[{"channel":"shared"}]}')
      return sockets
    })
    const heard = () =>
      crowd.evaluate((sockets) => sockets.map(({ messages }) => messages.filter((each) => String(each).includes('"data"'))))
    await poll(() => crowd.evaluate((sockets) => sockets.every(({ messages }) => messages.length === 2))).toBe(true)
    for (let i = 1; i <= 20; i++) await api.publish('shared', i)
    await poll(heard).toEqual(
      Array.from({ length: 50 }, () => Array.from({ length: 20 }, (_, i) => expect.stringContaining(`"offset":${i + 1},`))),
    )
    expect(line.accepted).toBe(1)
    await crowd.evaluate((sockets) => {
      for (const { socket } of sockets) socket.close(1000)
    })
    const codes = () => crowd.evaluate((sockets) => sockets.map(({ closed }) => closed?.code))
    await poll(codes).toEqual(Array.from({ length: 50 }, () => 1000))
    expect(problems).toEqual([])
  })

  it('goes over HTTP/1.1 inside of TLS where the page has no connection to the server yet', async ({ server, browser }) => {
    const before = await readMetric(server, 'fusewire_connections_opened_total', 'websocket')
    const tab = await openTab(browser, pageOf(server.http))
    const socket = await openSocket(tab, `${server.https}/ws`)
    await socket.send('{"type":"ping","id":7}')
    await poll(socket.messages).toEqual([{ type: 'pong', id: 7 }])
    expect(await readMetric(server, 'fusewire_connections_opened_total', 'websocket')).toBe(before + 1)
    expect(tab.problems).toEqual([])
  })
})
