import type { Msg } from '@nats-io/transport-node'

/** A request without an answer. Times are milliseconds of `performance.now()`. */
export interface PendingRequest {
  /** Names it to the server, which gives the name back with the answer. No other request has had it. */
  readonly token: string
  readonly call: string
  readonly sentAt: number
  readonly timeoutMs: number
  readonly bytes: number
  readonly resolve: (message: Msg) => void
  readonly reject: (error: Error) => void
}

/** So many places at most are kept when nothing is under way. */
const KEPT_PLACES = 1024

/**
 * Requests under way, each in a place of an array that its token names. In a Map, where entries come and go for good, V8 would keep
 * alive until the next major collection whatever has been in it: requests, their answers, and all that they hold.
 */
export class PendingRequests {
  readonly #places: (PendingRequest | undefined)[] = []
  readonly #free: number[] = []
  #added = 0
  #bytes = 0

  /** Of all that are under way. */
  get bytes(): number {
    return this.#bytes
  }

  /** Gives its token, which begins with its place. */
  add(request: Omit<PendingRequest, 'token'>): string {
    const place = this.#free.pop() ?? this.#places.length
    const token = `${place}-${++this.#added}`
    this.#places[place] = { token, ...request }
    this.#bytes += request.bytes
    return token
  }

  /** Undefined for one that is no longer under way. */
  take(token: string): PendingRequest | undefined {
    const place = Number.parseInt(token, 10)
    const request = this.#places[place]
    if (request?.token !== token) return undefined
    this.#places[place] = undefined
    this.#free.push(place)
    this.#bytes -= request.bytes
    if (this.#free.length > KEPT_PLACES && this.#free.length === this.#places.length) this.#places.length = this.#free.length = 0
    return request
  }

  /** In no order. */
  *[Symbol.iterator](): Generator<PendingRequest> {
    for (const request of this.#places) if (request) yield request
  }
}
