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
  read(exchange: HttpExchange, now: number): Promise<Body | undefined> {
    const { maxMessageBytes, maxBodyBytes, bodyTimeoutMs } = this.#limits
    const { body } = exchange
    const decoder = new LineDecoder(maxMessageBytes)
    const lines: Line[] = []
    const take = (line: Line): void => {
      if (typeof line !== 'string' || line.trim() !== '') lines.push(line)
    }
    let byteLength = 0
    return new Promise((resolve, reject) => {
      const giveUp = (): void =>
        fail(new FusewireError('request_timeout', `the request did not end within ${bodyTimeoutMs} ms; nothing of it was used`))
      const settle = (): void => {
        this.#deadlines.stop(giveUp)
        body.off('data', onData).off('end', onEnd).off('close', onEnd)
      }
      const fail = (error: FusewireError): void => {
        settle()
        // What still comes is dropped, so that the answer can be read.
        body.resume()
        reject(error)
      }
      const onData = (chunk: Uint8Array): void => {
        byteLength += chunk.byteLength
        if (byteLength > maxBodyBytes)
          fail(new FusewireError('message_too_large', `a request body is longer than ${maxBodyBytes} bytes`))
        else decoder.read(chunk, take, take)
      }
      const onEnd = (): void => {
        settle()
        if (!exchange.isRequestComplete) {
          resolve(undefined)
          return
        }
        decoder.read(LINE_END, take, take)
        resolve({ lines, byteLength })
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
