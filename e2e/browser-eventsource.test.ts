import { FaultProxy } from '@fusewire/testkit'
import type { Browser } from 'playwright-core'
import { describe, expect } from 'vitest'
import { browserTest, pageOf, poll } from './browser-test.ts'
import { openTab } from './chromium.ts'
import { FusewireProcess } from './fusewire-process.ts'
import { DEVELOPMENT } from './server-variants.ts'
import { hasTool } from './tools.ts'

const it = browserTest({
  ...DEVELOPMENT,
  rules: [
    { pattern: 'chat:*', presence: true, subscribe: 'anyone', seePresence: 'anyone' },
    { pattern: 'private:*', subscribe: 'nobody' },
  ],
})

const NAMES = ['connected', 'subscribed', 'join', 'leave', 'unsubscribed', 'disconnect', 'error']

const OPEN = 1
const CLOSED = 2

/** Opens a page of this server with an EventSource, whose URL is all that it knows. */
const openEvents = async (browser: Browser, base: string, query: string) => {
  const tab = await openTab(browser, pageOf(base))
  const url = `/fusewire/v1/sse?${query}`
  const source = await tab.page.evaluateHandle(([at, names]) => recorder.openEvents(at, names), [url, NAMES] as const)
  const events = () => source.evaluate((each) => each.events)
  return {
    ...tab,
    events,
    /** Data of the publications so far. */
    heard: async () =>
      (await events()).flatMap(({ type, data }) => (type === 'message' ? [(data as { data: unknown }).data] : [])),
    /** What came of this name. */
    named: async (name: string) => (await events()).flatMap(({ type, data }) => (type === name ? [data] : [])),
    opened: () => source.evaluate((each) => each.opened),
    readyState: () => source.evaluate(({ source }) => source.readyState),
    close: () => source.evaluate(({ source }) => source.close()),
  }
}

describe.skipIf(!hasTool('chromium'))('an EventSource of a page', () => {
  it.for([
    { version: 'HTTP/2', base: 'https' },
    { version: 'HTTP/1.1', base: 'http' },
  ] as const)('needs nothing but a URL, over $version [T12] [T13]', async ({ base }, { server, api, browser }) => {
    const [chat, news] = [`chat:${base}`, `chat:${base}-news`]
    const source = await openEvents(browser, server[base], `channel=${chat}&channel=${news}&presence=true&tag.lang=cs`)
    await poll(() => source.named('subscribed')).toHaveLength(2)
    expect(await source.named('connected')).toEqual([expect.objectContaining({ type: 'connected', development: true })])
    await api.publish(chat, 'ahoj', { tags: { lang: 'cs' } })
    await api.publish(chat, 'hello', { tags: { lang: 'en' } })
    await api.publish(news, 'zprávy', { tags: { lang: 'cs', more: 'x' } })
    await poll(source.heard).toEqual(['ahoj', 'zprávy'])
    expect((await source.events()).at(-1)).toMatchObject({
      type: 'message',
      id: expect.stringMatching(/./u),
      data: { channel: news, offset: 1 },
    })

    const other = await openEvents(browser, server[base], `channel=${chat}`)
    await poll(() => source.named('join')).toContainEqual(expect.objectContaining({ channel: chat }))
    await other.close()
    await poll(() => source.named('leave')).toEqual([expect.objectContaining({ channel: chat })])
    expect(source.problems).toEqual([])
    expect(other.problems).toEqual([])
  })

  it('goes on by itself exactly where the line was cut, by Last-Event-ID [T14]', async ({ server, api, browser }) => {
    await using line = await FaultProxy.start(server.httpsPort)
    await api.publish('cut:a', 'before')
    const source = await openEvents(browser, `https://localhost:${line.port}`, 'channel=cut:a&channel=cut:b')
    await poll(() => source.named('subscribed')).toHaveLength(2)
    await api.publish('cut:a', 'a2')
    await api.publish('cut:b', 'b1')
    await poll(source.heard).toEqual(['a2', 'b1'])

    line.sever()
    for (const data of ['a3', 'a4', 'a5']) await api.publish('cut:a', data)
    await api.publish('cut:b', 'b2')
    line.mend()
    await poll(source.opened).toBe(2)
    await api.publish('cut:a', 'a6')
    const heard = async () => (await source.heard()).slice(2) as string[]
    await poll(heard).toHaveLength(5)
    expect((await heard()).filter((each) => each.startsWith('a'))).toEqual(['a3', 'a4', 'a5', 'a6'])
    expect((await heard()).filter((each) => each.startsWith('b'))).toEqual(['b2'])
    expect((await source.named('subscribed')).slice(2)).toEqual([
      expect.objectContaining({ channel: 'cut:a', recovered: true }),
      expect.objectContaining({ channel: 'cut:b', recovered: true }),
    ])
  })

  it('is told that it has missed something when another server answers [S5]', async ({ server, api, browser }) => {
    await using line = await FaultProxy.start(server.httpPort)
    const source = await openEvents(browser, `http://localhost:${line.port}`, 'channel=moved')
    await poll(() => source.named('subscribed')).toHaveLength(1)
    await api.publish('moved', 'here')
    await poll(source.heard).toEqual(['here'])

    await using other = await FusewireProcess.start(DEVELOPMENT)
    line.sever()
    line.mend(other.httpPort)
    await poll(() => source.named('subscribed')).toHaveLength(2)
    expect((await source.named('subscribed')).at(-1)).toMatchObject({
      channel: 'moved',
      recovered: false,
      position: { offset: 0 },
    })
  })

  it('stays away once the application has disconnected it [T15]', async ({ api, server, browser }) => {
    const source = await openEvents(browser, server.https, 'channel=news')
    await poll(() => source.named('connected')).toHaveLength(1)
    const [connected] = await source.named('connected')
    await api.post('disconnect', { session: (connected as { session: string }).session })
    await poll(() => source.named('disconnect')).toEqual([expect.objectContaining({ code: 'disconnected', reconnect: false })])
    await poll(source.readyState).toBe(CLOSED)
  })

  it('gives up where it is not allowed, and at what is no channel [T15]', async ({ server, browser }) => {
    for (const query of ['channel=private:a', 'channel=', 'channel=a+b']) {
      const source = await openEvents(browser, server.https, query)
      await poll(source.readyState, { message: query }).toBe(CLOSED)
      expect(await source.opened()).toBe(0)
    }
  })

  it('hears of nothing else when the server is busy with others', async ({ server, api, browser }) => {
    const source = await openEvents(browser, server.https, 'channel=quiet')
    await poll(() => source.named('subscribed')).toHaveLength(1)
    for (let i = 0; i < 100; i++) await api.publish('loud', i)
    await api.publish('quiet', 'psst')
    await poll(source.heard).toEqual(['psst'])
    expect(await source.readyState()).toBe(OPEN)
    expect(source.problems).toEqual([])
  })
})
