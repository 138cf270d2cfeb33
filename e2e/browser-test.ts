import type { FusewireInput } from '@fusewire/server'
import { expect } from 'vitest'
import { BlankPages } from './blank-pages.ts'
import { startChromium } from './chromium.ts'
import type { FusewireProcess } from './fusewire-process.ts'
import { serverTest } from './server-test.ts'

/** A {@link serverTest} with a browser and pages of other origins, which its tests share too. */
export const browserTest = (options: FusewireInput) =>
  serverTest(options)
    .extend('browser', { scope: 'file' }, async ({ server: _ }, { onCleanup }) => {
      const browser = await startChromium()
      onCleanup(() => browser.close())
      return browser
    })
    .extend('pages', { scope: 'file' }, async ({ server: _ }, { onCleanup }) => {
      const pages = await BlankPages.open()
      onCleanup(() => pages[Symbol.asyncDispose]())
      return pages
    })

/** A document of the server, for a page of its origin: the browser then holds a connection to it, over HTTP/2 where there is TLS. */
export const pageOf = (base: string): string => `${base}/livez`

/** A number of the server's metrics; `transport` where there is one for each. */
export const readMetric = async ({ http }: FusewireProcess, name: string, transport?: string): Promise<number> => {
  const labels = transport === undefined ? '' : `{transport="${transport}"}`
  const text = await (await fetch(`${http}/metrics`)).text()
  const line = text.split('\n').find((each) => each.startsWith(`${name}${labels} `))
  if (line === undefined) throw new Error(`no ${name}${labels} in\n${text}`)
  return Number(line.slice(line.lastIndexOf(' ')))
}

export interface PollOptions {
  /** Default 10,000. */
  readonly timeoutMs?: number
  /** What is asked for, where that is not to be seen. */
  readonly message?: string
}

/** Expects of what is asked again and again: a browser on a busy machine takes its time. */
export const poll = <T>(ask: () => T | Promise<T>, { timeoutMs = 20_000, message = '' }: PollOptions = {}) =>
  expect.poll(ask, { timeout: timeoutMs, interval: 20, message })
