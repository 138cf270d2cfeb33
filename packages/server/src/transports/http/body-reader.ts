import { FusewireError, LineDecoder } from '@fusewire/protocol'
import { Deadlines } from './deadlines.ts'
import type { HttpExchange } from './http-exchange.ts'
import { LINE_END, type Line } from './line-receiver.ts'

export interface BodyLimits {
  readonly maxMessageBytes: number
  /** Of the whole body. */
  readonly maxBodyBytes: number
  /** From the head of the request to the end of its body. */
  readonly bodyTimeoutMs: number
}

export interface Body {
  /** Blank lines are left out. */
  readonly lines: readonly Line[]
  readonly byteLength: number
}

/** Reads request bodies that are used as a whole or not at all, so that a request which was cut can be repeated. */
export class BodyReader {
  readonly #limits: BodyLimits
  readonly #deadlines: Deadlines<() => void>

  constructor(limits: BodyLimits) {
    this.#limits = limits
    this.#deadlines = new Deadlines(limits.bodyTimeoutMs, (giveUp) => giveUp())
  }

  /**
   * Resolves with undefined when the client has vanished and nobody is left to answer. A line that cannot be read is one of the
   * lines; rejects with a {@link FusewireError} when the body is too large or does not come to its end in time.
   */
  async read(exchange: HttpExchange, now: number): Promise<Body | undefined> {
    const lines = new Lines(this.#limits.maxMessageBytes)
    const byteLength = await this.#receive(exchange, now, (chunk) => lines.add(chunk))
    return byteLength === undefined ? undefined : { lines: lines.end(), byteLength }
  }

  /** The same, as the bytes that have come, for another node to read. */
  async readBytes(exchange: HttpExchange, now: number): Promise<Uint8Array | undefined> {
    const chunks: Uint8Array[] = []
    const byteLength = await this.#receive(exchange, now, (chunk) => chunks.push(chunk))
    return byteLength === undefined ? undefined : Buffer.concat(chunks)
  }

  /** A body that another node has read. Throws a {@link FusewireError} when it is too large. */
  decode(bytes: Uint8Array): Body {
    this.#assertSize(bytes.byteLength)
    const lines = new Lines(this.#limits.maxMessageBytes)
    lines.add(bytes)
    return { lines: lines.end(), byteLength: bytes.byteLength }
  }

  #assertSize(byteLength: number): void {
    const { maxBodyBytes } = this.#limits
    if (byteLength > maxBodyBytes)
      throw new FusewireError('message_too_large', `a request body is longer than ${maxBodyBytes} bytes`)
  }

  /** Resolves with the number of bytes. */
  #receive(exchange: HttpExchange, now: number, take: (chunk: Uint8Array) => void): Promise<number | undefined> {
    const { bodyTimeoutMs } = this.#limits
    const { body } = exchange
    let byteLength = 0
    return new Promise((resolve, reject) => {
      const giveUp = (): void =>
        fail(new FusewireError('request_timeout', `the request did not end within ${bodyTimeoutMs} ms; nothing of it was used`))
      const settle = (): void => {
        this.#deadlines.stop(giveUp)
        body.off('data', onData).off('end', onEnd).off('close', onEnd)
      }
      const fail = (error: unknown): void => {
        settle()
        // What still comes is dropped, so that the answer can be read.
        body.resume()
        reject(error)
      }
      const onData = (chunk: Uint8Array): void => {
        byteLength += chunk.byteLength
        try {
          this.#assertSize(byteLength)
          take(chunk)
        } catch (error) {
          fail(error)
        }
      }
      const onEnd = (): void => {
        settle()
        resolve(exchange.isRequestComplete ? byteLength : undefined)
      }
      this.#deadlines.start(giveUp, now)
      body.on('data', onData).on('end', onEnd).on('close', onEnd)
    })
  }

  /** Gives up on bodies whose time is over. */
  tick(now: number): void {
    this.#deadlines.sweep(now)
  }
}

/** The lines of a body, blank ones left out. */
class Lines {
  readonly #decoder: LineDecoder
  readonly #lines: Line[] = []

  constructor(maxMessageBytes: number) {
    this.#decoder = new LineDecoder(maxMessageBytes)
  }

  add(chunk: Uint8Array): void {
    this.#decoder.read(chunk, this.#take, this.#take)
  }

  end(): readonly Line[] {
    this.add(LINE_END)
    return this.#lines
  }

  readonly #take = (line: Line): void => {
    if (typeof line !== 'string' || line.trim() !== '') this.#lines.push(line)
  }
}
