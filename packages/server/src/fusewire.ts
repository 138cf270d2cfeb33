import type {
  Awaitable,
  DecidingEvent,
  HistoryPage,
  HistoryQuery,
  HookEvent,
  InformingEvent,
  Log,
  Published,
  RevocationTarget,
  RevokeOptions,
  RpcHandler,
  Target,
} from '@fusewire/engine'
import { jsonCodec, type Member } from '@fusewire/protocol'
import type { HttpHandler } from './api/create-api.ts'
import { type Core, composeCore, composeServer, type Server } from './compose.ts'
import type { FusewireInput, FusewireOptions } from './config/options.ts'
import { resolveOptions, resolveRule } from './config/resolve-options.ts'
import type { RuleInput } from './config/rule-options.ts'
import { type AnyHandler, type DecisionHandler, HandlerTarget, type NoticeHandler } from './hooks/handler-target.ts'
import type { Listening } from './listening.ts'
import { createLogger } from './log/create-logger.ts'
import { eventLog } from './log/event-log.ts'
import { SecurityLog } from './log/security-log.ts'

/** The server's options, and what only a program can give. */
export interface CreateOptions extends FusewireInput {
  /** Answers the HTTP requests that are not the server's own: pages, another API. Without it they are answered 404. */
  readonly handler?: HttpHandler
  /** Takes the server's events instead of its own log. */
  readonly log?: Log
}

/** Where to listen, when it differs from the options. */
export type ListenOptions = Pick<FusewireInput, 'host' | 'port' | 'cleartextPort'>

export interface PublishOptions {
  readonly tags?: Record<string, string>
  /** A second publish with the same key in the same channel changes nothing for `idempotencyTtlMs`. */
  readonly key?: string
}

type Life =
  | { readonly kind: 'idle' }
  | { readonly kind: 'listening'; readonly server: Promise<Server> }
  | { readonly kind: 'closed'; readonly done: Promise<void> }

/**
 * A Fusewire server inside of a program.
 *
 * @example
 * const fusewire = createFusewire({ development: true }).rule('chat:*', { presence: true, publish: 'user' })
 * const { urls } = await fusewire.listen(8443)
 * await fusewire.publish('chat:lobby', { text: 'hello' })
 */
export class Fusewire {
  readonly #input: FusewireInput
  readonly #handler: HttpHandler | undefined
  readonly #log: Log
  readonly #core: Core
  #life: Life = { kind: 'idle' }

  /** @throws ConfigurationError with everything that is wrong. */
  constructor({ handler, log, ...input }: CreateOptions = {}) {
    const options = resolveOptions(input)
    this.#input = input
    this.#handler = handler
    const security = new SecurityLog(
      log ?? eventLog(createLogger(options.logLevel, options.logFormat)),
      options.securityLogLinesPerMinute,
    )
    this.#core = composeCore(options, security)
    this.#log = security.log
  }

  /** Adds a rule for the channels that match the pattern, after those that are there. The first matching rule decides. */
  rule(pattern: string, rule: Omit<RuleInput, 'pattern'> = {}): this {
    const { pattern: checked, ...options } = resolveRule({ pattern, ...rule })
    this.#core.rules.add(checked, options)
    return this
  }

  /** Answers `rpc` requests of this method. A `FusewireError` reaches the caller with its code; any other error is hidden from it. */
  rpc(method: string, handler: RpcHandler): this {
    this.#core.rpc.add(method, handler)
    return this
  }

  /**
   * Lets this program decide what clients may do, after the rules have allowed it, or hear what they have done; perhaps in the
   * channels alone that match a pattern. Of the hooks that match, those of the options first, the first decides and all hear.
   *
   * @example
   * fusewire.hook('publish', 'chat:*', async ({ user, data }) =>
   *   (await isBanned(user)) ? { decision: 'deny', message: 'you are banned' } : { decision: 'allow', data: censor(data) })
   * fusewire.hook(['channel_occupied', 'channel_vacated'], async ({ event, channel }) => log(event, channel))
   */
  hook<E extends DecidingEvent>(event: E, handler: DecisionHandler<E>): this
  hook<E extends DecidingEvent>(event: E, channels: string, handler: DecisionHandler<E>): this
  hook<E extends InformingEvent>(events: E | readonly E[], handler: NoticeHandler<E>): this
  hook<E extends InformingEvent>(events: E | readonly E[], channels: string, handler: NoticeHandler<E>): this
  hook(events: HookEvent | readonly HookEvent[], ...rest: [AnyHandler] | [string, AnyHandler]): this {
    const [channels, handler] = rest.length === 1 ? [undefined, rest[0]] : rest
    this.#core.application.hooks.add(typeof events === 'string' ? [events] : events, channels, new HandlerTarget(handler))
    return this
  }

  /**
   * Opens the port.
   * @throws ConfigurationError when the port cannot be had or a file cannot be used.
   */
  async listen(at: number | ListenOptions = {}): Promise<Listening> {
    if (this.#life.kind !== 'idle') throw new Error('listen() may be called once')
    const options: FusewireOptions = resolveOptions({ ...this.#input, ...(typeof at === 'number' ? { port: at } : at) })
    const server = composeServer(options, this.#core, this.#log, this.#handler)
    this.#life = { kind: 'listening', server }
    return (await server).listening
  }

  /**
   * Publishes; `data` is any value that JSON can carry, and byte arrays (see [P10] of the protocol).
   * @throws FusewireError `invalid_field` for data that cannot be written: nothing is published, so that no history holds it.
   */
  async publish(channel: string, data: unknown, { tags, key }: PublishOptions = {}): Promise<Published> {
    jsonCodec.encode({ type: 'echo', data })
    const draft = { data: data ?? null, ...(tags && { tags }) }
    return this.#core.engine.publish(channel, draft, key === undefined ? {} : { idempotencyKey: key })
  }

  async history(channel: string, query: HistoryQuery = {}): Promise<HistoryPage> {
    return this.#core.engine.history(channel, query)
  }

  async presence(channel: string): Promise<readonly Member[]> {
    return this.#core.engine.presence(channel)
  }

  /** Subscribes every session of the target, whatever the rule says. Returns how many. */
  subscribe(target: Target, channel: string): Promise<number> {
    return this.#core.engine.subscribeUser(target, channel)
  }

  /** Ends the target's subscriptions in a channel. Returns how many. */
  unsubscribe(target: Target, channel: string): Awaitable<number> {
    return this.#core.engine.unsubscribeUser(target, channel)
  }

  /** Ends every session of the target at once. Returns how many. */
  disconnect(target: Target): Awaitable<number> {
    return this.#core.engine.disconnectUser(target)
  }

  /**
   * Takes tokens back at once, by the `jti` of one or all of a user: what was made with them ends, and they are refused from now on.
   * Returns how many sessions have ended.
   * @throws FusewireError `overloaded` when `maxRevocations` are in force.
   */
  revoke(target: RevocationTarget, options: RevokeOptions = {}): Promise<number> {
    return this.#core.engine.revoke(target, options)
  }

  /** Reads the certificate files again. */
  async reloadCertificates(): Promise<void> {
    if (this.#life.kind === 'listening') await (await this.#life.server).reloadCertificates()
  }

  /** Tells clients to come back later and ends. Idempotent: whoever calls it waits for the same end. */
  close(): Promise<void> {
    const life = this.#life
    if (life.kind === 'closed') return life.done
    const done = life.kind === 'idle' ? this.#core.application.close(0) : closeServer(life.server)
    this.#life = { kind: 'closed', done }
    return done
  }
}

/** One that could not be opened has closed what it had. */
const closeServer = async (opening: Promise<Server>): Promise<void> => {
  const server = await opening.catch(() => undefined)
  await server?.close()
}

/** Makes a server to be embedded; see {@link Fusewire}. */
export const createFusewire = (options: CreateOptions = {}): Fusewire => new Fusewire(options)
