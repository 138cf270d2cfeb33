export interface HeartbeatLimits {
  /** How often a client is expected to send a heartbeat, in milliseconds. Default 25,000. */
  readonly pingIntervalMs: number
  /** How late a heartbeat may be, in milliseconds. Default 5,000. */
  readonly pongTimeoutMs: number
}

/**
 * What the silence of one connection means. A client that sends heartbeats is held to them; one that never does is asked for a sign
 * of life, where its connection can ask.
 *
 *     heard ──pingIntervalMs──▶ to be asked ──pongTimeoutMs──▶ missed
 *       ▲                           │
 *       └───────sign of life────────┘
 */
export class Heartbeat {
  readonly #limits: HeartbeatLimits
  readonly #canAsk: boolean
  /** Begins with a number, so that V8 keeps those that follow in place. */
  #heardAt = 0
  #isClients = false

  constructor(limits: HeartbeatLimits, canAsk: boolean, now: number) {
    this.#limits = limits
    this.#canAsk = canAsk
    this.#heardAt = now
  }

  /** Something has come from the client itself. */
  heard(now: number): void {
    this.#heardAt = now
  }

  /** The client keeps its own heartbeat: from now on its transport's signs of life do not count. */
  pinged(): void {
    this.#isClients = true
  }

  /** A sign of life that the client's transport gives by itself. */
  alive(now: number): void {
    if (!this.#isClients) this.#heardAt = now
  }

  isMissed(now: number): boolean {
    return now >= this.#missedAt
  }

  isToBeAsked(now: number): boolean {
    return this.#asks && now >= this.#askAt
  }

  /** When to look again. */
  nextLook(now: number): number {
    return this.#asks && now < this.#askAt ? this.#askAt : this.#missedAt
  }

  get #asks(): boolean {
    return this.#canAsk && !this.#isClients
  }

  get #askAt(): number {
    return this.#heardAt + this.#limits.pingIntervalMs
  }

  get #missedAt(): number {
    return this.#askAt + this.#limits.pongTimeoutMs
  }
}
