import type { OutgoingHttpHeaders } from 'node:http'
import { Deadlines } from './deadlines.ts'
import type { PollExchange } from './poll-exchange.ts'

const NOTHING = new Uint8Array()

interface Listener {
  answered(poll: ForwardedPoll): void
  over(poll: ForwardedPoll): void
}

/**
 *     waiting ──answer──▶ answered ──▶ over      the other node says how it has ended, or nothing in time
 *        └──────────────────────────────▲
 */
type State = 'waiting' | 'answered' | 'over'

class ForwardedPoll implements PollExchange {
  readonly name: string
  readonly remoteAddress = ''
  readonly isForwarded = true
  readonly body: Promise<Uint8Array>
  readonly #listener: Listener
  #state: State = 'waiting'
  #resolve: (body: Uint8Array) => void = () => {}
  #closed: (complete: boolean) => void = () => {}

  constructor(name: string, listener: Listener) {
    this.name = name
    this.#listener = listener
    this.body = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  answer(_status: number, _headers: OutgoingHttpHeaders, body: Uint8Array = NOTHING): void {
    if (this.#state !== 'waiting') return
    this.#state = 'answered'
    this.#resolve(body)
    this.#listener.answered(this)
    // Whether nothing has arrived matters to nobody.
    if (body.byteLength === 0) this.end(true)
  }

  /** The client's line is to another node, which stays. */
  leave(): void {}

  destroy(): void {
    this.end(false)
  }

  onClose(listener: (complete: boolean) => void): void {
    this.#closed = listener
  }

  end(complete: boolean): void {
    if (this.#state === 'over') return
    const isComplete = complete && this.#state === 'answered'
    this.#state = 'over'
    this.#resolve(NOTHING)
    this.#listener.over(this)
    this.#closed(isComplete)
  }
}

/** Polls whose clients are connected to other nodes. */
export class ForwardedPolls {
  readonly #byName = new Map<string, ForwardedPoll>()
  /** Answered, and nobody has said yet how that has ended. */
  readonly #unconfirmed: Deadlines<ForwardedPoll>
  readonly #now: () => number

  /** `confirmTimeoutMs`: an answer of which nothing is heard for so long counts as lost. */
  constructor(confirmTimeoutMs: number, now: () => number) {
    this.#unconfirmed = new Deadlines(confirmTimeoutMs, (poll) => poll.end(false))
    this.#now = now
  }

  /** Hands a poll of this name to `serve`, and gives its answer. Throws what `serve` throws. */
  open(name: string, serve: (poll: PollExchange) => void): Promise<Uint8Array> {
    const poll = new ForwardedPoll(name, {
      answered: (answered) => this.#unconfirmed.start(answered, this.#now()),
      over: (over) => {
        this.#byName.delete(over.name)
        this.#unconfirmed.stop(over)
      },
    })
    this.#byName.get(name)?.end(false)
    this.#byName.set(name, poll)
    try {
      serve(poll)
    } catch (error) {
      poll.end(false)
      throw error
    }
    return poll.body
  }

  end(name: string, complete: boolean): void {
    this.#byName.get(name)?.end(complete)
  }

  /** Ends all whose names begin so. */
  endAll(prefix: string): void {
    for (const [name, poll] of this.#byName) if (name.startsWith(prefix)) poll.end(false)
  }

  tick(now: number): void {
    this.#unconfirmed.sweep(now)
  }
}
