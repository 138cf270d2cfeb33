import { FusewireError } from '@fusewire/protocol'
import type { Msg } from '@nats-io/transport-node'
import { Backoff } from '../backoff.ts'
import { addressName, type NatsAddress } from './nats-address.ts'
import { connectNats, type NatsAccess } from './nats-connect.ts'
import { JetStreamError, unavailable } from './nats-error.ts'
import type { NatsSession } from './nats-session.ts'
import { assertJetStream } from './stream-api.ts'

export interface NatsLinkOptions extends NatsAccess {
  /** Servers of one cluster. */
  readonly addresses: readonly NatsAddress[]
}

/** What a part of this node does with the connection. */
export interface NatsLinkUser {
  /**
   * Called for each new connection, after what is listened to has been subscribed again. The first one is used when all of these have
   * resolved. Any other is used when one has, or when JetStream answers: what they ask for is led by different servers, of which any
   * may be missing. What rejects then, or is still under way, is left to whoever needs it, who MUST try again before it uses the connection.
   */
  prepare?(session: NatsSession): Promise<void>
  /** The link is up; what was sent to this node since it was down has been missed. Not called for the first connection. */
  back?(): void
  /** The link is down, for this reason. */
  away?(reason: FusewireError): void
}

const LEAST_ATTEMPT_MS = 500

type LinkState =
  | { readonly name: 'new' }
  | { readonly name: 'connecting' }
  | { readonly name: 'up'; readonly session: NatsSession }
  | { readonly name: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly name: 'closed' }

interface Listening {
  readonly subject: string
  readonly callback: (message: Msg) => void
  /** Absent while the server does not know of it. */
  stop: (() => void) | undefined
}

/**
 * The connection of this node to NATS: one of the servers at a time, and always another one when it is lost, until it is closed.
 *
 *     new ──open()──▶ connecting ──▶ up ──▶ waiting ──▶ connecting …        closed from everywhere
 *                         └──────────────────▶
 *
 * The client library's own way of connecting again is turned off: it would send what was published meanwhile when nobody waits for it
 * any more, and subscribe again without telling when that is done.
 */
export class NatsLink {
  readonly #options: NatsLinkOptions
  readonly #backoff: Backoff
  readonly #users = new Set<NatsLinkUser>()
  readonly #listening = new Set<Listening>()
  #state: LinkState = { name: 'new' }
  #problem = unavailable('NATS has not been reached yet')
  #opening: Promise<void> | undefined
  /** Index of the server to be tried next. */
  #next = 0
  #wasUp = false

  /** `random`: anywhere in [0, 1). */
  constructor(options: NatsLinkOptions, random: () => number) {
    this.#options = options
    this.#backoff = new Backoff(random)
    this.#next = Math.floor(random() * options.addresses.length)
  }

  /** For each answer, in milliseconds. */
  get timeoutMs(): number {
    return this.#options.timeoutMs
  }

  /** After which what may have been lost is asked again, in milliseconds. */
  get attemptMs(): number {
    return Math.max(LEAST_ATTEMPT_MS, this.timeoutMs / 4)
  }

  /** Whether it can be asked now. */
  get isUp(): boolean {
    return this.#state.name === 'up'
  }

  /** Why it cannot be asked now; undefined while it can. */
  problem(): FusewireError | undefined {
    return this.isUp ? undefined : this.#problem
  }

  /** The connection as it is now. Throws `broker_unavailable` when there is none. */
  session(): NatsSession {
    if (this.#state.name === 'up') return this.#state.session
    throw this.#problem
  }

  /** To be called before {@link open}; the order of calls is the order in which users are told. */
  use(user: NatsLinkUser): void {
    this.#users.add(user)
  }

  /** Listens to a subject over all connections, until the answer is called. The server knows it when what is asked after that is answered. */
  listen(subject: string, callback: (message: Msg) => void): () => void {
    const listening: Listening = { subject, callback, stop: undefined }
    this.#listening.add(listening)
    if (this.#state.name === 'up') this.#subscribe(listening, this.#state.session)
    return () => {
      this.#listening.delete(listening)
      listening.stop?.()
    }
  }

  /**
   * Idempotent: several users wait for the same connection. Tries for the time that an answer may take, but each server once at least,
   * since one that stands still takes all of it; rejects with `broker_unavailable` when none can be used.
   */
  open(): Promise<void> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  close(): void {
    const state = this.#state
    this.#state = { name: 'closed' }
    this.#problem = unavailable('the connection to NATS has been closed')
    if (state.name === 'waiting') clearTimeout(state.timer)
    if (state.name === 'up') state.session.end(this.#problem)
  }

  async #open(): Promise<void> {
    const deadline = performance.now() + this.#options.timeoutMs
    this.#state = { name: 'connecting' }
    for (let tries = 1; ; tries++) {
      const failure = await this.#connect()
      if (!failure) return
      if (this.#isClosed) throw this.#problem
      if (tries >= this.#options.addresses.length && performance.now() >= deadline) {
        this.close()
        throw failure
      }
      await new Promise((resolve) => setTimeout(resolve, this.#backoff.next()))
    }
  }

  /** Undefined when it is up. */
  async #connect(): Promise<FusewireError | undefined> {
    const { addresses } = this.#options
    const address = addresses[this.#next++ % addresses.length]
    if (!address) throw new RangeError('no address')
    let session: NatsSession | undefined
    try {
      session = await connectNats(address, this.#options)
      for (const listening of this.#listening) this.#subscribe(listening, session)
      await (this.#wasUp ? this.#prepareOne(session) : this.#prepareAll(session))
      await session.flush()
      if (this.#isClosed) throw this.#problem
    } catch (error) {
      const problem = error instanceof FusewireError ? error : unavailable(explain(address, error), error)
      session?.end(problem)
      for (const listening of this.#listening) listening.stop = undefined
      if (!this.#isClosed) this.#problem = problem
      return problem
    }
    this.#up(session)
    return undefined
  }

  async #prepareAll(session: NatsSession): Promise<void> {
    await assertJetStream(session)
    for (const user of this.#users) await user.prepare?.(session)
  }

  /** Rejects as JetStream does when nothing answers: then it may be this server that is cut off from the others. */
  async #prepareOne(session: NatsSession): Promise<void> {
    const jetStream = assertJetStream(session)
    const others = [...this.#users].flatMap((user) => user.prepare?.(session) ?? [])
    await Promise.any([jetStream, ...others]).catch(() => jetStream)
  }

  #up(session: NatsSession): void {
    this.#state = { name: 'up', session }
    this.#backoff.reset()
    void session.ended.then((reason) => this.#down(reason))
    // What was asked for while the connection was prepared.
    for (const listening of this.#listening) if (!listening.stop) this.#subscribe(listening, session)
    if (!this.#wasUp) {
      this.#wasUp = true
      return
    }
    for (const user of this.#users) user.back?.()
  }

  #down(reason: FusewireError): void {
    if (this.#isClosed) return
    this.#problem = reason
    for (const listening of this.#listening) listening.stop = undefined
    this.#wait()
    for (const user of this.#users) user.away?.(reason)
  }

  #wait(): void {
    const timer = setTimeout(() => void this.#again(), this.#backoff.next())
    this.#state = { name: 'waiting', timer }
  }

  /** Each of the servers, before the next wait: others are not to be kept waiting by one that is away for long. */
  async #again(): Promise<void> {
    this.#state = { name: 'connecting' }
    for (const _ of this.#options.addresses) if (!(await this.#connect()) || this.#isClosed) return
    this.#wait()
  }

  #subscribe(listening: Listening, session: NatsSession): void {
    listening.stop = session.subscribe(listening.subject, listening.callback)
  }

  get #isClosed(): boolean {
    return this.#state.name === 'closed'
  }
}

const explain = (address: NatsAddress, error: unknown): string =>
  `NATS at ${addressName(address)} cannot be used${error instanceof JetStreamError ? `: ${error.message}` : ''}`
