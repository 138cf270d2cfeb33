import { describe, expect } from 'vitest'
import { browserTest, pageOf, readMetric } from './browser-test.ts'
import { openTab, type Tab } from './chromium.ts'
import { FusewireProcess } from './fusewire-process.ts'
import { DEVELOPMENT } from './server-variants.ts'
import { hasTool } from './tools.ts'

const it = browserTest(DEVELOPMENT)

/** Tries every way in that a page has, and tells how each has ended. */
const tryEverything = ({ page }: Tab, base: string) =>
  page.evaluate(async (server) => {
    const webSocket = (path: string) =>
      recorder.openSocket(server.replace('http', 'ws') + path).opened.then(
        () => 'opened',
        () => 'refused',
      )
    const eventSource = (path: string) => {
      const source = new EventSource(server + path)
      return new Promise<string>((resolve) => {
        source.onopen = () => resolve('opened')
        source.onerror = () => resolve(source.readyState === source.CLOSED ? 'refused' : 'failed')
      }).finally(() => source.close())
    }
    const post = (path: string) => {
      const abort = new AbortController()
      const headers = { 'content-type': 'application/x-ndjson' }
      return fetch(server + path, { method: 'POST', headers, body: '{"type":"connect"}', signal: abort.signal })
        .then(
          ({ ok }) => (ok ? 'opened' : 'refused'),
          () => 'refused',
        )
        .finally(() => abort.abort())
    }
    return {
      webSocket: await webSocket('/fusewire/v1/ws'),
      echo: await webSocket('/fusewire/v1/echo'),
      oneWay: await eventSource('/fusewire/v1/sse?channel=news'),
      twoWay: await eventSource('/fusewire/v1/sse'),
      stream: await post('/fusewire/v1/stream'),
      poll: await post('/fusewire/v1/poll'),
    }
  }, base)

const everything = (outcome: 'opened' | 'refused') => ({
  webSocket: outcome,
  echo: outcome,
  oneWay: outcome,
  twoWay: outcome,
  stream: outcome,
  poll: outcome,
})

const connections = async (server: FusewireProcess): Promise<number> => {
  const counts = ['websocket', 'websocket-h2', 'sse', 'stream', 'poll'].map((transport) =>
    readMetric(server, 'fusewire_connections_opened_total', transport),
  )
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
}

describe.skipIf(!hasTool('chromium'))('a page of another site', () => {
  it('is refused on every way in [P4]', async ({ server, browser, pages }) => {
    const before = await connections(server)
    const tab = await openTab(browser, pages.at('evil.test'))
    expect(await tryEverything(tab, server.https)).toEqual(everything('refused'))
    expect(await tryEverything(tab, server.http)).toEqual(everything('refused'))
    expect(await connections(server)).toBe(before)
  })

  it.for(['https', 'http'] as const)(
    'is refused although its name leads to this machine, as %s',
    async (scheme, { server, browser }) => {
      const before = await connections(server)
      // DNS rebinding: for the browser, page and server are of one origin.
      const base = server[scheme].replace('localhost', 'evil.test')
      const tab = await openTab(browser, pageOf(base))
      expect(await tryEverything(tab, base)).toEqual(everything('refused'))
      expect(await connections(server)).toBe(before)
    },
  )

  it('publishes and reads nothing by the HTTP API', async ({ server, api, browser, pages }) => {
    await api.publish('secrets', 'not for you')
    const call = ({ page }: Tab, base: string) =>
      page.evaluate(async (server) => {
        const body = '{"channel":"secrets","data":"evil"}'
        const attempts = [
          fetch(`${server}/v1/channels/secrets/history`),
          fetch(`${server}/v1/publish`, { method: 'POST', body, headers: { 'content-type': 'application/json' } }),
          // These need no permission to be sent; only the answer cannot be read.
          fetch(`${server}/v1/publish`, { method: 'POST', body, mode: 'no-cors' }),
          fetch(`${server}/v1/publish`, { method: 'POST', body: new URLSearchParams({ channel: 'secrets' }), mode: 'no-cors' }),
        ]
        const outcomes = await Promise.allSettled(attempts)
        return outcomes.map((outcome) => outcome.status === 'fulfilled' && outcome.value.ok)
      }, base)
    const foreign = await openTab(browser, pages.at('evil.test'))
    expect(await call(foreign, server.https)).toEqual([false, false, false, false])
    const rebound = server.https.replace('localhost', 'evil.test')
    expect(await call(await openTab(browser, pageOf(rebound)), rebound)).toEqual([false, false, false, false])
    expect(await api.history('secrets')).toMatchObject({ publications: [{ data: 'not for you' }] })
  })

  it('is let in on every way when its origin is listed, and it alone', async ({ browser, pages }) => {
    await using server = await FusewireProcess.start({
      allowAnonymous: true,
      allowedOrigins: [pages.at('app.test')],
      rules: [{ pattern: '**', subscribe: 'anyone' }],
    })
    const app = await openTab(browser, pages.at('app.test'))
    expect(await tryEverything(app, server.https)).toEqual(everything('opened'))
    expect(await tryEverything(app, server.http)).toEqual(everything('opened'))
    expect(app.problems).toEqual([])
    const evil = await openTab(browser, pages.at('evil.test'))
    expect(await tryEverything(evil, server.https)).toEqual(everything('refused'))
  })

  it('is let in by a development server when it is of this machine', async ({ server, browser, pages }) => {
    const tab = await openTab(browser, pages.at('localhost'))
    expect(await tryEverything(tab, server.https)).toEqual(everything('opened'))
    expect(tab.problems).toEqual([])
  })
})
