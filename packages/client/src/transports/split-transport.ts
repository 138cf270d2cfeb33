import { type ClientMessage, PATHS } from '@fusewire/protocol'
import type { Failure } from '../failure.ts'
import { asFailure, post } from './http.ts'
import type { Transport, TransportRequest } from './transport.ts'

/** UTF-16 code units of one POST, unless a single message is longer. */
const MAX_BATCH_LENGTH = 32_768
const POST_TIMEOUT_MS = 10_000
/** How long `close` waits for the farewell to leave. */
const FAREWELL_TIMEOUT_MS = 1_000

/**
 * What streaming, SSE and polling have in common: the downstream begins with `open`, and what goes up is POSTed beside it, numbered,
 * one request at a time, each with all that waits.
 */
export class SplitTransport implements Transport {
  /** Secret that the POSTs carry, ready for a URL; undefined until the server has told it. */
  connection: string | undefined
  readonly #request: TransportRequest
  readonly #abort = new AbortController()
  /** Ends everything that belongs to this connection. */
  readonly signal = this.#abort.signal
  readonly #queue: string[] = []
  #sequence = 0
  #flushing: Promise<void> | undefined
  #isEnded = false

  constructor(request: TransportRequest) {
    this.#request = request
  }

  /** Nothing more is heard; a farewell may still be under way. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  send(message: ClientMessage): void {
    if (!this.#isEnded) this.#enqueue(message)
  }

  opened(connection: string): void {
    this.connection = encodeURIComponent(connection)
    this.#start()
  }

  async close(farewell?: ClientMessage): Promise<void> {
    if (this.#isEnded) return
    this.#isEnded = true
    if (farewell && this.connection) {
      const timer = setTimeout(() => this.#abort.abort(), FAREWELL_TIMEOUT_MS)
      this.#enqueue(farewell)
      await this.#flushing
      clearTimeout(timer)
    }
    this.#abort.abort()
  }

  /** Text of the downstream: one message a line. */
  hear(text: string): void {
    // A listener may close the connection.
    for (const line of text.split('\n')) if (!this.#isEnded) this.#request.listener.receive(line)
  }

  fail(failure: Failure): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#abort.abort()
    this.#request.listener.closed(failure)
  }

  #enqueue(message: ClientMessage): void {
    this.#queue.push(this.#request.codec.encode(message) as string)
    this.#start()
  }

  #start(): void {
    if (this.connection) this.#flushing ??= this.#flush()
  }

  async #flush(): Promise<void> {
    try {
      // One turn later, so that what is sent together goes together.
      await undefined
      while (this.#queue.length > 0) await this.#post(this.#takeBatch())
    } catch (cause) {
      this.#queue.length = 0
      this.fail(asFailure(cause))
    }
    this.#flushing = undefined
  }

  #takeBatch(): string {
    let batch = this.#queue.shift() ?? ''
    while (this.#queue[0] && batch.length + this.#queue[0].length < MAX_BATCH_LENGTH) batch += `\n${this.#queue.shift()}`
    return batch
  }

  /** The server ignores a number that it has seen, so a POST whose answer was lost can be repeated: once. */
  async #post(body: string): Promise<void> {
    const { endpoint, platform } = this.#request
    const url = `${endpoint + PATHS.send}?connection=${this.connection}&seq=${++this.#sequence}`
    const send = async (): Promise<string> => {
      const signal = AbortSignal.any([this.signal, AbortSignal.timeout(POST_TIMEOUT_MS)])
      // `keepalive` lets the farewell leave when the page is already gone.
      return (await post(platform, url, body, { signal, keepalive: this.#isEnded })).text()
    }
    try {
      await send()
    } catch (cause) {
      if (asFailure(cause).code !== 'unreachable') throw cause
      await send()
    }
  }
}
