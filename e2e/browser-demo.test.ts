import { FaultProxy } from '@fusewire/testkit'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { Api } from './api.ts'
import { poll } from './browser-test.ts'
import { openTab, startChromium } from './chromium.ts'
import { DemoProcess } from './demo-process.ts'
import { hasTool } from './tools.ts'

const it = test
  // biome-ignore lint/correctness/noEmptyPattern: the pattern tells vitest which fixtures are needed
  .extend('demo', { scope: 'file' }, async ({}, { onCleanup }) => {
    const demo = await DemoProcess.start()
    onCleanup(async () => {
      await using stopping = demo
      const code = await stopping.stop()
      expect({ code, err: stopping.err }).toEqual({ code: 0, err: '' })
    })
    return demo
  })
  .extend('browser', { scope: 'file' }, async ({ demo: _ }, { onCleanup }) => {
    const browser = await startChromium()
    onCleanup(() => browser.close())
    return browser
  })

const ROOMS = ['Chat', 'Market', 'Notifications', 'Document', 'Device'] as const
type Room = (typeof ROOMS)[number]

const TRANSPORTS = ['WebSocket', 'Streaming', 'SSE', 'Polling'] as const

/** A visitor of the demo: the page as people use it. */
class Visitor {
  readonly page: Page
  readonly problems: readonly string[]

  private constructor(page: Page, problems: readonly string[]) {
    this.page = page
    this.problems = problems
  }

  /** Opens the page, and waits until it is connected. */
  static async open(browser: Browser, base: string, options: BrowserContextOptions = {}): Promise<Visitor> {
    const { page, problems } = await openTab(browser, base, options)
    const visitor = new Visitor(page, problems)
    await poll(() => visitor.line()).toMatch(/^Connected/u)
    return visitor
  }

  /** What the panel says about the line: `Connected by WebSocket`. */
  line(): Promise<string> {
    return textOf(this.page.locator('.line-state'))
  }

  /** What the panel tells about the last cut. */
  story(): Promise<string> {
    return textOf(this.page.getByRole('status', { name: 'What the last cut went through' }))
  }

  /** What the page has counted by itself from the offsets of all that it was given. */
  async counters(): Promise<{ received: number; recovered: number; gaps: number; duplicates: number }> {
    const numbers = (await this.page.locator('.counters dd').allInnerTexts()).map(Number)
    const [received = 0, recovered = 0, gaps = Number.NaN, duplicates = Number.NaN] = numbers
    return { received, recovered, gaps, duplicates }
  }

  async name(): Promise<string> {
    const label = await this.page.getByRole('button', { name: /^You are / }).getAttribute('aria-label')
    return /^You are (.*)\. Change your name$/u.exec(label ?? '')?.[1] ?? ''
  }

  async enter(room: Room): Promise<void> {
    await this.page.getByRole('navigation', { name: 'Rooms' }).getByRole('link').nth(ROOMS.indexOf(room)).click()
    await this.page.getByRole('heading', { level: 2, name: room }).waitFor()
  }

  use(transport: string): Promise<void> {
    return this.page.getByRole('group', { name: 'Transport' }).getByText(transport, { exact: true }).click()
  }

  async cut(time: 'a moment' | '5 s'): Promise<void> {
    await this.page.getByLabel('For how long').selectOption(time)
    await this.page.getByRole('button', { name: 'Cut the line' }).click()
  }

  async say(text: string): Promise<void> {
    await this.page.getByLabel('Message', { exact: true }).fill(text)
    await this.page.getByRole('button', { name: 'Send' }).click()
  }

  /** What was said in the chat, with what is still under way. */
  heard(): Promise<string[]> {
    return this.page.getByRole('log', { name: 'Messages' }).locator('.message').allInnerTexts()
  }

  present(): Promise<string[]> {
    return this.page.getByRole('complementary', { name: 'Who is here' }).locator('.member-name').allInnerTexts()
  }
}

/** What can be read there now, on one line. */
const textOf = async (place: Locator): Promise<string> => (await place.allInnerTexts()).join(' ').replaceAll(/\s+/gu, ' ').trim()

const NOTHING_LOST = { gaps: 0, duplicates: 0 }

describe.skipIf(!hasTool('chromium'))('the demo', () => {
  it('lets two tabs talk, and shows who is there and who types', async ({ demo, browser }) => {
    const ada = await Visitor.open(browser, demo.https)
    const bob = await Visitor.open(browser, demo.https)
    const names = [await ada.name(), await bob.name()]
    await poll(async () => (await ada.present()).sort()).toEqual(names.toSorted())
    await poll(async () => (await bob.present()).sort()).toEqual(names.toSorted())

    await ada.page.getByLabel('Message', { exact: true }).pressSequentially('Is anyone there?')
    await poll(() => textOf(bob.page.locator('.typing-line'))).toContain(`${names[0]} is typing`)
    await ada.page.keyboard.press('Enter')
    await poll(() => bob.heard()).toContain('Is anyone there?')
    await bob.say('Yes, here.')
    await poll(async () => (await ada.heard()).slice(-2)).toEqual(['Is anyone there?', 'Yes, here.'])
    expect(await textOf(ada.page.locator('.message-group.mine').last())).toContain(`${names[0]} (you)`)

    await bob.page.close({ runBeforeUnload: true })
    await poll(() => ada.present()).toEqual([names[0]])
    // Whoever comes later reads what was said.
    const late = await Visitor.open(browser, demo.http)
    await poll(async () => (await late.heard()).slice(-2)).toEqual(['Is anyone there?', 'Yes, here.'])
    expect([...ada.problems, ...bob.problems, ...late.problems]).toEqual([])
  })

  it('moves to each transport and says so', async ({ demo, browser }) => {
    const visitor = await Visitor.open(browser, demo.https)
    expect(await visitor.line()).toBe('Connected by WebSocket')
    for (const transport of [...TRANSPORTS, 'Auto']) {
      await visitor.use(transport)
      await poll(() => visitor.line()).toBe(`Connected by ${transport === 'Auto' ? 'WebSocket' : transport}`)
      await visitor.say(`by ${transport}`)
      await poll(async () => (await visitor.heard()).at(-1)).toBe(`by ${transport}`)
      await visitor.cut('a moment')
      await poll(() => visitor.story()).toMatch(/^Cut .*resumed by \w+ \d+ publications recovered 0 lost, 0 doubled$/u)
      expect(await visitor.counters()).toMatchObject(NOTHING_LOST)
    }
    expect(visitor.problems).toEqual([])
  })

  it('goes on without a gap after the line was kept cut, with what was said meanwhile', async ({ demo, browser }) => {
    const visitor = await Visitor.open(browser, demo.https)
    const other = await Visitor.open(browser, demo.https)
    await visitor.cut('5 s')
    await poll(() => visitor.line()).not.toMatch(/^Connected/u)
    expect(await visitor.page.getByRole('button', { name: 'Cut the line' }).isDisabled()).toBe(true)
    await other.say('while you were away')
    await visitor.say('from far away')
    await poll(async () => (await visitor.heard()).at(-1)).toBe('from far away waiting for the line')
    // Held for five seconds, and then the rest of a wait of up to four.
    await poll(() => visitor.story(), { timeoutMs: 20_000 }).toMatch(
      /^Cut waited \d+\.\d s, \d \w+ resumed by WebSocket \d+ publications recovered 0 lost, 0 doubled$/u,
    )
    for (const each of [visitor, other])
      await poll(async () => (await each.heard()).slice(-2).sort()).toEqual(['from far away', 'while you were away'])
    // Ticks, readings and the message, of at least five seconds.
    expect((await visitor.counters()).recovered).toBeGreaterThan(20)
    expect(await visitor.counters()).toMatchObject(NOTHING_LOST)
    // Every attempt was dropped as soon as it was made, which Chromium notes.
    expect(visitor.problems.filter((text) => !text.includes('closed before the connection is established'))).toEqual([])
  })

  it('survives a network that fails in earnest', async ({ demo, browser }) => {
    await using line = await FaultProxy.start(Number(new URL(demo.https).port))
    const visitor = await Visitor.open(browser, `https://localhost:${line.port}`)
    const api = new Api(demo.http)
    line.sever()
    await poll(() => visitor.line()).toMatch(/^(Waiting|Connecting)/u)
    const missed = ['one', 'two', 'three'].map((text) => ({ id: crypto.randomUUID(), text: `missed ${text}` }))
    for (const message of missed) await api.publish('chat:lobby', message)
    line.mend()
    await poll(() => visitor.line()).toBe('Connected by WebSocket')
    await poll(async () => (await visitor.heard()).slice(-3)).toEqual(missed.map(({ text }) => text))
    await poll(() => visitor.story()).toMatch(/^Lost .*resumed by WebSocket \d+ publications recovered 0 lost, 0 doubled$/u)
    expect(await visitor.counters()).toMatchObject(NOTHING_LOST)
  })

  it('shows life in every room', async ({ demo, browser }) => {
    const visitor = await Visitor.open(browser, demo.https)
    const { page } = visitor

    await visitor.enter('Market')
    expect(await page.getByText('simulated prices').isVisible()).toBe(true)
    const price = () => textOf(page.locator('.price-now'))
    const firstPrice = await price()
    await poll(price).not.toBe(firstPrice)
    expect(firstPrice).toMatch(/^\d[\d,]*\.\d\d$/u)
    const chart = page.locator('.market-plot canvas').first()
    const picture = () => chart.evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL())
    const firstPicture = await picture()
    await poll(picture).not.toBe(firstPicture)
    expect(await page.getByRole('list', { name: 'Instruments' }).getByRole('button').count()).toBe(6)
    await page.getByRole('button', { name: /^TIDE/ }).click()
    await poll(() => textOf(page.locator('.price-head'))).toMatch(/Tidewater Clocks/iu)

    await visitor.enter('Device')
    const gauges = () => page.locator('.gauge svg').evaluateAll((all) => all.map((gauge) => gauge.getAttribute('aria-label')))
    await poll(gauges).toEqual([
      expect.stringMatching(/^Processor: \d+(\.\d)? %$/u),
      expect.stringMatching(/^Memory: \d+\.\d GiB$/u),
      expect.stringMatching(/^Event-loop lag: \d+\.\d ms$/u),
    ])
    const firstGauges = await gauges()
    await poll(gauges).not.toEqual(firstGauges)

    // The rail shows signs of all rooms, whichever is open.
    const signs = await page.locator('.rail-sign').allInnerTexts()
    expect(signs).toEqual([
      expect.stringMatching(/^\d+ here$/u),
      expect.stringMatching(/\d\.\d\d/u),
      'none new',
      expect.stringMatching(/^v \d+$/u),
      expect.stringMatching(/%$/u),
    ])
    expect(await visitor.counters()).toMatchObject(NOTHING_LOST)
    expect(visitor.problems).toEqual([])
  })

  it('brings notifications to one and to everyone', async ({ demo, browser }) => {
    const ada = await Visitor.open(browser, demo.https)
    const bob = await Visitor.open(browser, demo.https)
    const feed = ({ page }: Visitor) =>
      page.getByRole('list', { name: 'Notifications, newest first' }).locator('li p:first-child').allInnerTexts()
    const toasts = ({ page }: Visitor) => page.locator('.toast p:first-child').allInnerTexts()
    await ada.enter('Notifications')
    await ada.page.getByLabel('Text').fill('for me alone')
    await ada.page.getByRole('button', { name: 'To me' }).click()
    await poll(async () => (await feed(ada))[0]).toBe('for me alone')
    await ada.page.getByText('Warning', { exact: true }).click()
    await ada.page.getByLabel('Text').fill('for all of you')
    await ada.page.getByRole('button', { name: 'To everyone' }).click()
    await poll(() => toasts(bob)).toEqual(['for all of you'])
    await poll(() => textOf(bob.page.locator('.rail-sign').nth(2))).toBe('1 new')
    await bob.enter('Notifications')
    expect(await feed(bob)).toEqual(['for all of you'])
    expect(await textOf(bob.page.locator('.notice').first())).toContain(`${await ada.name()} to everyone`)

    await new Api(demo.http).publish('notifications:everyone', { level: 'success', text: 'from a terminal' })
    for (const each of [ada, bob]) await poll(async () => (await feed(each))[0]).toBe('from a terminal')
    expect([...ada.problems, ...bob.problems]).toEqual([])
  })

  it('merges what two people type at once into the document', async ({ demo, browser }) => {
    const ada = await Visitor.open(browser, demo.https)
    const bob = await Visitor.open(browser, demo.http)
    const text = ({ page }: Visitor) => page.getByLabel('Shared text').inputValue()
    for (const visitor of [ada, bob]) {
      await visitor.enter('Document')
      await poll(() => visitor.page.getByLabel('Shared text').isEnabled()).toBe(true)
    }
    const before = await text(ada)
    const [first, last] = ['Ada writes at the beginning. ', ' And Bob at the end.']
    await ada.page.getByLabel('Shared text').focus()
    await ada.page.keyboard.press('Control+Home')
    await bob.page.getByLabel('Shared text').focus()
    await bob.page.keyboard.press('Control+End')
    await Promise.all([ada.page.keyboard.type(first), bob.page.keyboard.type(last)])
    for (const visitor of [ada, bob]) await poll(() => text(visitor)).toBe(first + before + last)

    // At the same place, and with one of them cut off.
    await ada.cut('a moment')
    for (const { page } of [ada, bob]) {
      await page.getByLabel('Shared text').focus()
      await page.keyboard.press('Control+Home')
    }
    await Promise.all([ada.page.keyboard.type('12345'), bob.page.keyboard.type('abcde')])
    for (const visitor of [ada, bob])
      await poll(() => textOf(visitor.page.locator('.document-progress'))).toBe('In step with the server')
    await poll(async () => (await text(ada)) === (await text(bob))).toBe(true)
    const merged = (await text(ada)).slice(0, 10)
    expect([...merged].filter((letter) => /\d/u.test(letter)).join('')).toBe('12345')
    expect([...merged].filter((letter) => /\D/u.test(letter)).join('')).toBe('abcde')
    expect(await ada.counters()).toMatchObject(NOTHING_LOST)
    expect([...ada.problems, ...bob.problems]).toEqual([])
  })

  it.for([
    ['light', 'dark'],
    ['dark', 'light'],
  ] as const)('fits a phone, %s as its system is', async ([colorScheme, opposite], { demo, browser }) => {
    const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2, colorScheme }
    const visitor = await Visitor.open(browser, demo.https, phone)
    const { page } = visitor
    const width = () => page.evaluate(() => document.documentElement.scrollWidth)
    const brightness = () =>
      page.evaluate(() => {
        const canvas = new OffscreenCanvas(1, 1).getContext('2d')
        if (!canvas) return Number.NaN
        canvas.fillStyle = getComputedStyle(document.documentElement).backgroundColor
        canvas.fillRect(0, 0, 1, 1)
        return Math.max(...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3))
      })
    for (const room of ROOMS) {
      await visitor.enter(room)
      expect(await width(), room).toBe(360)
      for (const button of await page.getByRole('main').getByRole('button').all()) {
        const box = await button.boundingBox()
        expect(box && box.x >= 0 && box.x + box.width <= 360, `${room}: ${await textOf(button)}`).toBe(true)
      }
    }
    await page.getByRole('button', { name: 'The line' }).click()
    await visitor.use('SSE')
    await poll(() => visitor.line()).toBe('Connected by SSE')
    expect(await width()).toBe(360)

    const own = await brightness()
    expect(own > 128).toBe(colorScheme === 'light')
    await page.emulateMedia({ colorScheme: opposite })
    await poll(async () => (await brightness()) > 128).toBe(opposite === 'light')
    // The visitor's own choice goes before the system's, and is kept.
    for (let i = 0; i < 3 && (await page.locator('html').getAttribute('data-theme')) !== colorScheme; i++)
      await page.getByRole('button', { name: /^Theme: / }).click()
    await poll(brightness).toBe(own)
    await page.reload()
    await poll(() => visitor.line()).toMatch(/^Connected/u)
    expect(await brightness()).toBe(own)
    expect(visitor.problems).toEqual([])
  })
})
