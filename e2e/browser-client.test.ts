import { FaultProxy } from '@fusewire/testkit'
import type { Browser } from 'playwright-core'
import { describe, expect } from 'vitest'
import { browserTest, pageOf, poll, readMetric } from './browser-test.ts'
import { openTab } from './chromium.ts'
import { FusewireProcess } from './fusewire-process.ts'
import type { RecordedClientOptions } from './page/recorders.ts'
import { DEVELOPMENT } from './server-variants.ts'
import { hasTool } from './tools.ts'

const it = browserTest(DEVELOPMENT)

/** Opens a page with the SDK in it. */
const openClient = async (browser: Browser, base: string, channel: string, options: RecordedClientOptions = {}) => {
  const tab = await openTab(browser, pageOf(base))
  const client = await tab.page.evaluateHandle(([name, given]) => recorder.openClient(name, given), [channel, options] as const)
  const see = <T>(look: (each: Awaited<ReturnType<typeof client.jsonValue>>) => T) => client.evaluate(look)
  return {
    ...tab,
    start: () => client.evaluate((each) => each.start()),
    publish: (...data: unknown[]) => client.evaluate((each, sent) => each.publish(...sent), data),
    data: () => see(({ publications }) => publications.map(({ data }) => data)),
    offsets: () => see(({ publications }) => publications.map(({ offset }) => offset)),
    connected: () => see(({ connected }) => connected),
    transports: () => see(({ transports }) => transports),
    subscribed: () => see(({ subscribed }) => subscribed),
    errors: () => see(({ errors }) => errors),
    status: () => see(({ client }) => client.connection.status),
    ping: () => see(({ client }) => client.ping()),
    interrupt: () => see(({ client }) => client.interrupt()),
    close: () => see(({ client }) => client.close()),
    use: (transport: 'auto' | 'websocket' | 'stream' | 'sse' | 'poll') =>
      client.evaluate(({ client }, name) => client.useTransport(name), transport),
  }
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)

/** Larger than what is worth compressing. */
const LONG = 'Byl jednou jeden kůň, žluťoučký. '.repeat(200)

interface Way extends Pick<RecordedClientOptions, 'transports'> {
  readonly msgpack?: boolean
  readonly scheme: 'https' | 'http'
  /** What the server counts it as. */
  readonly counted: string
  /** After the line was cut, when the browser holds no HTTP/2 connection. */
  readonly countedAgain?: string
}

const WAYS: Record<string, Way> = {
  'WebSocket over HTTP/2': { transports: ['websocket'], scheme: 'https', counted: 'websocket-h2', countedAgain: 'websocket' },
  'WebSocket over HTTP/1.1': { transports: ['websocket'], scheme: 'http', counted: 'websocket' },
  'WebSocket over HTTP/2 in MessagePack': {
    transports: ['websocket'],
    msgpack: true,
    scheme: 'https',
    counted: 'websocket-h2',
    countedAgain: 'websocket',
  },
  'WebSocket over HTTP/1.1 in MessagePack': { transports: ['websocket'], msgpack: true, scheme: 'http', counted: 'websocket' },
  'streaming over HTTP/2': { transports: ['stream'], scheme: 'https', counted: 'stream' },
  'streaming over HTTP/1.1': { transports: ['stream'], scheme: 'http', counted: 'stream' },
  'SSE over HTTP/2': { transports: ['sse'], scheme: 'https', counted: 'sse' },
  'SSE over HTTP/1.1': { transports: ['sse'], scheme: 'http', counted: 'sse' },
  'long polling over HTTP/2': { transports: ['poll'], scheme: 'https', counted: 'poll' },
  'long polling over HTTP/1.1': { transports: ['poll'], scheme: 'http', counted: 'poll' },
}

describe.skipIf(!hasTool('chromium'))('the SDK in a page', () => {
  describe.each(Object.entries(WAYS))('by %s', (name, { counted, countedAgain = counted, scheme, ...options }) => {
    it('connects, publishes, receives in order, measures and leaves', async ({ server, api, browser }) => {
      const channel = `${name}: talk`.replaceAll(' ', '-')
      const before = await readMetric(server, 'fusewire_connections_opened_total', counted)
      const client = await openClient(browser, server[scheme], channel, options)
      await client.start()
      const mixed = [1, LONG, null, { ž: ['ů', -1.5, true] }, '', LONG.repeat(5), []]
      await client.publish(...mixed)
      await api.publish(channel, 'from outside')
      await poll(client.data).toEqual([...mixed, 'from outside'])
      expect(await client.offsets()).toEqual(numbers(1, 8))
      expect(await client.ping()).toBeGreaterThan(0)
      expect(await readMetric(server, 'fusewire_connections_opened_total', counted)).toBe(before + 1)

      const [{ session } = { session: '' }] = await client.connected()
      expect(await api.presence(channel)).toEqual({ members: [{ session }] })
      await client.close()
      expect(await client.status()).toBe('closed')
      await poll(() => api.presence(channel)).toEqual({ members: [] })
      await poll(() => readMetric(server, 'fusewire_connections', counted)).toBe(0)
      expect(await client.errors()).toEqual([])
      expect(client.problems).toEqual([])
    })

    it('resumes after a cut with all that it has missed', async ({ server, api, browser }) => {
      const channel = `${name}: cut`.replaceAll(' ', '-')
      await using line = await FaultProxy.start(scheme === 'https' ? server.httpsPort : server.httpPort)
      const client = await openClient(browser, `${scheme}://localhost:${line.port}`, channel, options)
      await client.start()
      for (const number of numbers(1, 5)) await api.publish(channel, number)
      await poll(client.data).toEqual(numbers(1, 5))
      const before = await readMetric(server, 'fusewire_connections_opened_total', countedAgain)

      line.sever()
      for (const number of numbers(6, 40)) await api.publish(channel, number)
      await poll(client.status).not.toBe('connected')
      // What the page says meanwhile waits for the line.
      const said = client.publish(41, 42)
      line.mend()
      await said
      for (const number of numbers(43, 50)) await api.publish(channel, number)
      await poll(client.data).toEqual(numbers(1, 50))
      expect(await client.offsets()).toEqual(numbers(1, 50))
      expect(await client.connected()).toMatchObject([{ resumed: false }, { resumed: true }])
      expect(await client.subscribed()).toMatchObject([
        { wasRecovering: false },
        { wasRecovering: true, recovered: true, position: { offset: 40 } },
      ])
      expect(await readMetric(server, 'fusewire_connections_opened_total', countedAgain)).toBeGreaterThan(before)

      await client.interrupt()
      for (const number of numbers(51, 60)) await api.publish(channel, number)
      await poll(client.data).toEqual(numbers(1, 60))
      expect(await client.connected()).toMatchObject([{}, {}, { resumed: true }])
      expect(await client.errors()).toEqual([])
      await client.close()
    })
  })

  it('keeps the order and loses nothing while it changes from transport to transport', async ({ server, api, browser }) => {
    const client = await openClient(browser, server.https, 'changes')
    await client.start()
    let number = 0
    for (const transport of ['stream', 'sse', 'poll', 'websocket', 'poll', 'stream', 'auto'] as const) {
      const changes = (await client.transports()).length
      await client.use(transport)
      // From both sides, before and after the new connection is there.
      for (const half of [0, 1]) {
        const own = client.publish(...numbers(number + 1, number + 5))
        number += 5
        await own
        await api.publish('changes', ++number)
        if (half === 0 && transport !== 'auto')
          await poll(async () => (await client.transports()).length).toBeGreaterThan(changes)
      }
    }
    await poll(client.offsets).toEqual(numbers(1, number))
    expect(await client.data()).toEqual(numbers(1, number))
    expect(new Set((await client.connected()).map(({ session }) => session)).size).toBe(1)
    expect(await client.transports()).toEqual(['websocket', 'stream', 'sse', 'poll', 'websocket', 'poll', 'stream', 'websocket'])
    expect(await client.errors()).toEqual([])
    expect(client.problems).toEqual([])
  })

  it('falls back to what the server offers', async ({ browser }) => {
    await using server = await FusewireProcess.start({ ...DEVELOPMENT, transports: ['sse', 'poll'] })
    const client = await openClient(browser, server.https, 'fallback')
    await client.start()
    await client.publish('here')
    await poll(client.data).toEqual(['here'])
    expect(await client.transports()).toEqual(['sse'])
    await client.close()
  })

  it('makes room for the back/forward cache, and resumes when its page comes back', async ({ server, api, browser, pages }) => {
    for (const transport of ['websocket', 'stream', 'sse', 'poll'] as const) {
      const channel = `cache:${transport}`
      const { page } = await openTab(browser, pages.at('localhost'))
      const data = () => page.evaluate(() => recorder.newestClient.publications.map(({ data }) => data))
      await page.evaluate(([name, options]) => recorder.openClient(name, options).start(), [
        channel,
        { endpoint: server.https, transports: [transport] },
      ] as const)
      await api.publish(channel, 1)
      await poll(data).toEqual([1])
      await page.goto(`${pages.at('localhost')}/elsewhere`)
      await api.publish(channel, 2)
      await page.evaluate(() => {
        setTimeout(() => history.back())
      })
      await poll(() => page.url()).toBe(`${pages.at('localhost')}/`)
      await api.publish(channel, 3)
      await poll(data).toEqual([1, 2, 3])
      const connected = await page.evaluate(() => recorder.newestClient.connected)
      expect(connected).toMatchObject([{ resumed: false }, { resumed: true }])
      await page.close()
    }
  })

  it('speaks with a server of another origin, from an insecure page as well', async ({ server, browser }) => {
    for (const transport of ['websocket', 'stream', 'sse', 'poll'] as const) {
      const options = { endpoint: server.https, transports: [transport] }
      const client = await openClient(browser, server.http, `abroad:${transport}`, options)
      await client.start()
      await client.publish(1, 2, 3)
      await poll(client.data).toEqual([1, 2, 3])
      await client.close()
      expect(client.problems).toEqual([])
    }
  })

  it('leaves at once when its tab is closed', async ({ server, api, browser }) => {
    for (const transport of ['websocket', 'stream', 'sse', 'poll'] as const) {
      const channel = `tabs:${transport}`
      const client = await openClient(browser, server.https, channel, { transports: [transport] })
      await client.start()
      expect((await api.presence(channel)).members).toHaveLength(1)
      await client.page.close({ runBeforeUnload: true })
      await poll(async () => (await api.presence(channel)).members).toEqual([])
    }
  })

  it('comes back to a server that was restarted, and says that it cannot know what it has missed', async ({ browser }) => {
    await using old = await FusewireProcess.start(DEVELOPMENT)
    await using line = await FaultProxy.start(old.httpsPort)
    const client = await openClient(browser, `https://localhost:${line.port}`, 'restart')
    await client.start()
    await client.publish('old')
    await using young = await FusewireProcess.start(DEVELOPMENT)
    expect(await old.stop()).toBe(0)
    line.mend(young.httpsPort)
    await client.publish('new')
    await poll(client.data).toEqual(['old', 'new'])
    expect(await client.connected()).toMatchObject([{ resumed: false }, { resumed: false }])
    expect(await client.subscribed()).toMatchObject([{ wasRecovering: false }, { wasRecovering: true, recovered: false }])
    expect(await client.errors()).toEqual([])
  })
})
