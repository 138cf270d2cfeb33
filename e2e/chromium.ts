import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { rolldown } from 'rolldown'
import { onTestFinished } from 'vitest'

const ENTRY = fileURLToPath(new URL('page/recorders.ts', import.meta.url))

/** Names under `.test` (RFC 6761) are this machine, so that pages can come from other sites than the server. */
const ARGUMENTS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--ignore-certificate-errors',
  '--host-resolver-rules=MAP *.test 127.0.0.1',
]

const pathOf = (command: string): string => {
  const folder = (process.env.PATH ?? '').split(delimiter).find((each) => existsSync(join(each, command)))
  return join(folder ?? '/usr/bin', command)
}

/** Starts the system's Chromium, without a window. */
export const startChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: pathOf('chromium'),
    chromiumSandbox: false,
    args: ARGUMENTS,
    // People have it on.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  })

let bundled: Promise<string> | undefined

/** The recorders with the built SDK, as an application would bundle it. */
const bundleRecorders = async (): Promise<string> => {
  const build = await rolldown({ input: ENTRY, platform: 'browser', resolve: { conditionNames: ['import', 'default'] } })
  const { output } = await build.generate({ format: 'iife', name: 'recorder', codeSplitting: false })
  await build.close()
  const code = output.map((chunk) => (chunk.type === 'chunk' ? chunk.code : '')).join('')
  // What is added to a page runs inside of a function.
  return `${code}\nglobalThis.recorder = recorder`
}

/** A page in a browser profile of its own, closed with the test. */
export interface Tab {
  readonly page: Page
  /** What a developer would see in red: errors of the console and of scripts, requests that failed or were answered with an error. */
  readonly problems: readonly string[]
}

/** Opens a page with the recorders in it. */
export const openTab = async (browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Tab> => {
  bundled ??= bundleRecorders()
  const context = await browser.newContext(options)
  onTestFinished(() => context.close())
  await context.addInitScript({ content: await bundled })
  const page = await context.newPage()
  const problems = watchProblems(page)
  await page.goto(url)
  return { page, problems }
}

const watchProblems = (page: Page): string[] => {
  const problems: string[] = []
  // Every page is asked for an icon, and the server's own documents have none.
  const isIcon = (url: string): boolean => url.endsWith('/favicon.ico')
  page.on('console', (message) => {
    const isProblem = message.type() === 'error' || message.type() === 'warning'
    if (isProblem && !isIcon(message.location().url)) problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText
    // The page itself has ended it.
    if (reason !== 'net::ERR_ABORTED') problems.push(`${request.method()} ${request.url()}: ${reason}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400 && !isIcon(response.url()))
      problems.push(`${response.request().method()} ${response.url()}: ${response.status()}`)
  })
  return problems
}
