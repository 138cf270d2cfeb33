import { Alarm } from '../alarm.ts'

/**
 * Pings, and notices when nothing comes back.
 *
 * The next ping is timed when a pong arrives, not when a ping leaves: browsers let the timers of a hidden page that were set by
 * timers run once a minute only, which is later than the server waits; a timer set by a message is not held back like that.
 */
export class Heartbeat {
  readonly #ping: () => void
  readonly #lost: () => void
  readonly #alarm = new Alarm(() => this.#due())
  #intervalMs = 0
  #timeoutMs = 0
  #heardAt = 0
  /** When the ping that is unanswered was sent. */
  #pingedAt: number | undefined

  constructor(ping: () => void, lost: () => void) {
    this.#ping = ping
    this.#lost = lost
  }

  /** Begins; clients that came together shall not ping together, so the first is at a random moment. */
  start(intervalMs: number, timeoutMs: number): void {
    this.#intervalMs = intervalMs
    this.#timeoutMs = timeoutMs
    this.#pingedAt = undefined
    this.#alarm.set(Date.now() + intervalMs * Math.random())
  }

  stop(): void {
    this.#alarm.clear()
  }

  /** Something was received: the line lives, even if the pong is stuck behind a backlog; but for long it cannot be. */
  heard(): void {
    this.#heardAt = Date.now()
  }

  /** Returns the round trip in milliseconds, if a ping was out. */
  pong(): number | undefined {
    if (this.#pingedAt === undefined) return undefined
    const now = Date.now()
    const latencyMs = now - this.#pingedAt
    this.#pingedAt = undefined
    this.#alarm.set(now + this.#intervalMs)
    return latencyMs
  }

  /** Pings now, unless a ping is out. */
  check(): void {
    if (this.#pingedAt === undefined) this.#due()
  }

  #due(): void {
    const now = Date.now()
    if (this.#pingedAt === undefined) {
      this.#pingedAt = now
      this.#alarm.set(now + this.#timeoutMs)
      this.#ping()
      return
    }
    const patience = Math.min(this.#heardAt, this.#pingedAt + this.#intervalMs) + this.#timeoutMs
    if (patience > now) this.#alarm.set(patience)
    else this.#lost()
  }
}
