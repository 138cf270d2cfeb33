import type { Log } from '@fusewire/engine'

const MINUTE_MS = 60_000

/** What looks like an attack. Their details have a `code`, and never a secret. */
const SECURITY_EVENTS: ReadonlySet<string> = new Set(['token_refused', 'origin_refused', 'api_key_refused'])

/** What a client can bring about as often as it likes, with an error and its stack in each line. */
const FAILURES: ReadonlySet<string> = new Set(['request_failed', 'api_request_failed', 'hook_failed'])

/** The lines of one event within a minute. */
interface Minute {
  readonly beganAt: number
  lines: number
  /** Those that were one too many. */
  suppressed: number
}

/**
 * Stands in front of the log: counts security events, and lets through so many lines a minute of each and of each failure, so that whoever
 * floods the server with them does not fill its disk. Other events pass.
 */
export class SecurityLog {
  readonly #log: Log
  readonly #linesPerMinute: number
  readonly #now: () => number
  readonly #counts: Record<string, number> = {}
  readonly #minutes = new Map<string, Minute>()

  constructor(log: Log, linesPerMinute: number, now: () => number = Date.now) {
    this.#log = log
    this.#linesPerMinute = linesPerMinute
    this.#now = now
  }

  /** Security events so far, by code; those that were not written as well. */
  get counts(): Readonly<Record<string, number>> {
    return this.#counts
  }

  readonly log: Log = (event, details) => {
    if (SECURITY_EVENTS.has(event)) {
      const code = String(details.code)
      this.#counts[code] = (this.#counts[code] ?? 0) + 1
    } else if (!FAILURES.has(event)) {
      this.#log(event, details)
      return
    }
    const { minute, suppressedBefore } = this.#minuteOf(event)
    if (minute.lines >= this.#linesPerMinute) {
      minute.suppressed++
      return
    }
    minute.lines++
    this.#log(event, suppressedBefore === 0 ? details : { ...details, suppressed: suppressedBefore })
  }

  /** The running minute, or a new one, which is told what the last has left out. */
  #minuteOf(event: string): { readonly minute: Minute; readonly suppressedBefore: number } {
    const now = this.#now()
    const running = this.#minutes.get(event)
    // A clock that went back begins anew as well.
    if (running && now >= running.beganAt && now - running.beganAt < MINUTE_MS) return { minute: running, suppressedBefore: 0 }
    const minute: Minute = { beganAt: now, lines: 0, suppressed: 0 }
    this.#minutes.set(event, minute)
    return { minute, suppressedBefore: running?.suppressed ?? 0 }
  }
}
