import type { Log } from '@fusewire/engine'
import type { Dispatcher } from 'undici'
import type { HookInput } from '../config/hook-options.ts'
import { ApplicationHooks, type HookLimits } from './application-hooks.ts'
import { HookBackend, type HookBackendLimits } from './hook-backend.ts'
import type { HookSnapshot } from './hook-stats.ts'
import { WebhookSigner } from './webhook-signer.ts'

/** The server's options of the same names. */
export interface HooksOptions extends HookLimits, HookBackendLimits {
  readonly hooks: readonly HookInput[]
  readonly hookSecrets: readonly string[]
}

/**
 * Time for the last notices, in milliseconds, also when the drain has used its own up: sessions that were here until then end only
 * now. A backend that is there takes a few of them.
 */
const MIN_FLUSH_MS = 1000

/** The application's hooks, and what of them is to be read and ended. */
export interface CreatedHooks {
  readonly hooks: ApplicationHooks
  snapshot(): HookSnapshot
  /** Tells what waits, for `timeoutMs` or a second at most, then ends. Idempotent. */
  close(timeoutMs: number): Promise<void>
}

/**
 * Loads the HTTP client, which takes a fifth of the time in which a server starts: for those alone that call somebody. undici 7, because
 * over HTTP/2 undici 8 destroys the stream of a call that is given up before it was reset (https://github.com/nodejs/undici/pull/5559), and
 * a backend that then opens its window has Node send empty frames until memory is full.
 */
const openDispatcher = async (connections: number): Promise<Dispatcher> => {
  const { Agent } = await import('undici')
  return new Agent({ allowH2: true, connections })
}

export const createHooks = (options: HooksOptions, version: string, log: Log): CreatedHooks => {
  const hooks = new ApplicationHooks(options, log)
  const signer = new WebhookSigner(options.hookSecrets)
  const backends = new Map<string, HookBackend>()
  let dispatcher: Promise<Dispatcher> | undefined
  for (const { url, events, channels } of options.hooks) {
    dispatcher ??= openDispatcher(options.hookMaxConcurrent)
    const ports = { signer, dispatcher, userAgent: `fusewire/${version}`, log }
    // What is known of an address is shared by all that lead there.
    const backend = backends.get(url) ?? new HookBackend(url, options, ports)
    backends.set(url, backend)
    hooks.add(events, channels, backend)
  }
  const end = async (timeoutMs: number): Promise<void> => {
    await hooks.flush(Math.max(timeoutMs, MIN_FLUSH_MS))
    await hooks.close()
    await (await dispatcher)?.destroy()
  }
  let ended: Promise<void> | undefined
  return {
    hooks,
    snapshot: () => ({ ...hooks.stats.snapshot(), breakers: [...backends.values()].map(({ state }) => state) }),
    close: (timeoutMs) => {
      ended ??= end(timeoutMs)
      return ended
    },
  }
}
