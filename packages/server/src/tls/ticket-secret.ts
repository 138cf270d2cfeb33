import { hkdfSync, randomBytes } from 'node:crypto'

/** Where the keys of session tickets come from in one interval. Secret. */
export interface TicketSeed {
  /** Intervals since 1970. */
  readonly interval: number
  /** 32 bytes. */
  readonly secret: Uint8Array
}

const SECRET_BYTES = 32
/** A name of 16 bytes, and a key of 16 for each of HMAC and AES (`ticketKeys` of `node:tls`). */
export const TICKET_KEYS_BYTES = 48

const derive = (secret: Uint8Array, purpose: string, bytes: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), purpose, bytes))

/**
 * Makes the keys of session tickets (RFC 5077 section 4), the same ones in all processes that have begun with the same seed, so that each
 * resumes what any of them has begun. Nothing leads back from one interval to the one before: the secret of one that is over is erased.
 *
 *     secret ──▶ secret of the next interval ──▶ …
 *        └──▶ keys, for one certificate and the authorities that go with it
 */
export class TicketSecret {
  readonly #intervalMs: number
  #interval: number
  #secret: Uint8Array

  /** The bytes of the seed are its own from now on: it erases them. */
  constructor(intervalMs: number, now: number, seed?: TicketSeed) {
    this.#intervalMs = intervalMs
    this.#interval = seed?.interval ?? Math.floor(now / intervalMs)
    this.#secret = seed?.secret ?? randomBytes(SECRET_BYTES)
  }

  /** For another process, to make the same keys with. */
  seed(now: number): TicketSeed {
    this.advance(now)
    return { interval: this.#interval, secret: new Uint8Array(this.#secret) }
  }

  /** For certificates of this digest. */
  keys(now: number, digest: string): Buffer {
    this.advance(now)
    return Buffer.from(derive(this.#secret, `keys ${digest}`, TICKET_KEYS_BYTES).buffer)
  }

  /** In how many milliseconds there will be other keys. */
  lastsMs(now: number): number {
    return this.#intervalMs - (now % this.#intervalMs)
  }

  /** Erases the secrets of intervals that are over; for those who make no keys. A clock that was set back brings no keys back. */
  advance(now: number): void {
    const interval = Math.floor(now / this.#intervalMs)
    for (; this.#interval < interval; this.#interval++) {
      const over = this.#secret
      this.#secret = derive(over, 'next', SECRET_BYTES)
      over.fill(0)
    }
  }
}

/** How often the keys of session tickets change, in milliseconds. */
export const TICKET_KEY_ROTATION_MS = 43_200_000
