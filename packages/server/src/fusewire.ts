import type {
  Broker,
  ChannelState,
  ConflictError,
  DecidingEvent,
  HistoryPage,
  HistoryQuery,
  HookEvent,
  InformingEvent,
  Log,
  PublicationDraft,
  Published,
  RevocationTarget,
  RevokeOptions,
  RpcHandler,
  Target,
} from '@fusewire/engine'
import { FusewireError, jsonCodec, type Member, type Position } from '@fusewire/protocol'
import type { HttpHandler } from './api/create-api.ts'
import { type Core, composeCore } from './compose-core.ts'
import { composeServer } from './compose-server.ts'
import { ConfigurationError } from './config/configuration-error.ts'
import type { FusewireInput } from './config/options.ts'
import { resolveHook } from './config/resolve-hook.ts'
import { resolveOptions, resolveRule } from './config/resolve-options.ts'
import type { RuleInput } from './config/rule-options.ts'
import { type AnyHandler, type DecisionHandler, HandlerTarget, type NoticeHandler } from './hooks/handler-target.ts'
import type { Listening } from './listening.ts'
import { createLogger } from './log/create-logger.ts'
import { eventLog } from './log/event-log.ts'
import { logStart } from './log/log-start.ts'
import { SecurityLog } from './log/security-log.ts'
import { ServerLife } from './server-life.ts'
import type { WorkerRole } from './workers/worker-role.ts'
import { writtenData } from './written-data.ts'

/** The server's options, and what only a program can give. */
export interface CreateOptions extends Omit<FusewireInput, 'broker'> {
  /** Answers the HTTP requests that are not the server's own: pages, another API. Without it they are answered 404. */
  readonly handler?: HttpHandler
  /** Takes the server's events instead of its own log. */
  readonly log?: Log
  /**
   * Addresses of what keeps and carries publications, or a broker of one's own: it MUST keep the promises of {@link Broker}; nodes are
   * one to their clients when each gets a broker of its own over the same publications, with the same `idempotencyTtlMs`. The server
   * starts it and closes it; what expires in it is its own to forget. Sessions and presence stay with their node then.
   */
  readonly broker?: FusewireInput['broker'] | Broker
}

/** Where to listen, when it differs from the options. */
export type ListenOptions = Pick<FusewireInput, 'host' | 'port' | 'cleartextPort'>

export interface PublishOptions {
  readonly tags?: Record<string, string>
  /** A second publish with the same key in the same channel changes nothing for `idempotencyTtlMs`. */
  readonly key?: string
  /** `data` is a JSON merge patch (RFC 7396) of the channel's document; its rule says `state`. */
  readonly patch?: boolean
  /** Publish only if this is the channel's newest position; a `ConflictError` says what is there otherwise. */
  readonly ifPosition?: Position
}

/** How a server runs that no program has made. */
export interface RunOptions {
  /** What it is to others that share its port; absent when it is alone. */
  readonly role?: WorkerRole
  /** Whether its log says where it listens, and what nobody may overlook. Default true; the command says so itself. */
  readonly logsStart?: boolean
}

/**
 * A Fusewire server inside of a program.
 *
 * @example
 * const fusewire = createFusewire({ development: true }).rule('chat:*', { presence: true, publish: 'user' })
 * const { urls } = await fusewire.listen(8443)
 * await fusewire.publish('chat:lobby', { text: 'hello' })
 */
export class Fusewire {
  /** Settles when the server has ended, whoever has asked for it: the program, or `POST /v1/drain`. */
  readonly closed: Promise<void>
  readonly #input: FusewireInput
  readonly #handler: HttpHandler | undefined
  readonly #log: Log
  readonly #core: Core
  readonly #role: WorkerRole | undefined
  readonly #logsStart: boolean
  readonly #life: ServerLife

  /** @throws ConfigurationError with everything that is wrong. */
  constructor({ handler, log, broker, ...others }: CreateOptions = {}, { role, logsStart = true }: RunOptions = {}) {
    const given = broker !== undefined && !Array.isArray(broker) ? broker : undefined
    const input: FusewireInput = Array.isArray(broker) ? { ...others, broker } : others
    const options = resolveOptions(input)
    if (options.workers !== 1 && !role)
      throw new ConfigurationError([
        {
          option: 'workers',
          message:
            'are processes of the command: run "fusewire serve" with them; a program serves in its own process, and shares a broker with others of its kind',
        },
      ])
    this.#role = role
    this.#logsStart = logsStart
    this.#input = input
    this.#handler = handler
    const security = new SecurityLog(
      log ?? eventLog(createLogger(options.logLevel, options.logFormat, role?.worker)),
      options.securityLogLinesPerMinute,
    )
    this.#core = composeCore(options, security, { broker: given, role })
    this.#log = security.log
    this.#life = new ServerLife(() => this.#core.application.close(0))
    this.closed = this.#life.ended
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
   *
   * @throws ConfigurationError for an event that does not exist.
   */
  hook<E extends DecidingEvent>(event: E, handler: DecisionHandler<E>): this
  hook<E extends DecidingEvent>(event: E, channels: string, handler: DecisionHandler<E>): this
  hook<E extends InformingEvent>(events: E | readonly E[], handler: NoticeHandler<E>): this
  hook<E extends InformingEvent>(events: E | readonly E[], channels: string, handler: NoticeHandler<E>): this
  hook(events: HookEvent | readonly HookEvent[], ...rest: [AnyHandler] | [string, AnyHandler]): this {
    const [channels, handler] = rest.length === 1 ? [undefined, rest[0]] : rest
    this.#core.application.hooks.add(resolveHook({ events, channels, handler }), channels, new HandlerTarget(handler))
    return this
  }

  /**
   * Opens the port, once.
   * @throws ConfigurationError when the port cannot be had or a file cannot be used.
   */
  async listen(at: number | ListenOptions = {}): Promise<Listening> {
    this.#life.assertIdle()
    const options = resolveOptions({ ...this.#input, ...(typeof at === 'number' ? { port: at } : at) })
    const listening = await this.#life.open(() => composeServer(options, this.#core, this.#log, this.#handler, this.#role))
    if (this.#logsStart) logStart(this.#log, listening, options)
    return listening
  }

  /**
   * Publishes; `data` is any value that JSON can carry, and byte arrays (see [P10] of the protocol).
   * @throws FusewireError `invalid_field` for data that cannot be written: nothing is published, so that no history holds it;
   * `conflict`, which is a {@link ConflictError}, and `document_too_large`, with which nothing is published either.
   *
   * @example
   * const { position, document } = await fusewire.state('doc:1')
   * await fusewire.publish('doc:1', { title: 'New' }, { patch: true, ifPosition: position })
   */
  async publish(channel: string, data: unknown, { tags, key, patch, ifPosition }: PublishOptions = {}): Promise<Published> {
    jsonCodec.encode({ type: 'echo', data })
    const draft: PublicationDraft = {
      data: (patch ? writtenData(data) : data) ?? null,
      ...(tags && { tags }),
      ...(patch && { patch }),
    }
    return this.#core.engine.publish(channel, draft, {
      ...(key !== undefined && { idempotencyKey: key }),
      ...(ifPosition && { ifPosition }),
    })
  }

  /**
   * The document of a state channel and its position; `document` is absent while there is none.
   * @throws FusewireError `feature_disabled` where the rule does not say `state`.
   */
  async state(channel: string): Promise<ChannelState> {
    return this.#core.engine.state(channel)
  }

  /** Removes the document of a state channel, and its history; subscribers are told. False when there is none. */
  async removeState(channel: string): Promise<boolean> {
    return this.#core.engine.removeState(channel)
  }

  async history(channel: string, query: HistoryQuery = {}): Promise<HistoryPage> {
    return this.#core.engine.history(channel, query)
  }

  async presence(channel: string): Promise<readonly Member[]> {
    return this.#core.engine.presence(channel)
  }

  /**
   * Subscribes every session of the target, whatever the rule says. Returns how many. Here and below: on every node, as far as the
   * others answer within three seconds.
   */
  async subscribe(target: Target, channel: string): Promise<number> {
    return (await this.#core.commands.subscribeUser(target, channel)).sessions
  }

  /** Ends the target's subscriptions in a channel. Returns how many. */
  async unsubscribe(target: Target, channel: string): Promise<number> {
    return (await this.#core.commands.unsubscribeUser(target, channel)).sessions
  }

  /** Ends every session of the target at once. Returns how many. */
  async disconnect(target: Target): Promise<number> {
    return (await this.#core.commands.disconnectUser(target)).sessions
  }

  /**
   * Gives the identity of every session of the target another end, in milliseconds from now, in place of the one of its token; `null`
   * is none. With 0 their clients are told `token_expired` now. Returns how many sessions.
   */
  async refresh(target: Target, expiresInMs: number | null): Promise<number> {
    if (expiresInMs !== null && !(Number.isSafeInteger(expiresInMs) && expiresInMs >= 0))
      throw new FusewireError('invalid_field', 'expiresInMs must be a whole number of milliseconds, or null')
    return (await this.#core.commands.refreshUser(target, expiresInMs ?? undefined)).sessions
  }

  /** Channels with subscribers, those alone that match a pattern where there is one. */
  async channels(pattern?: string): Promise<readonly { readonly channel: string; readonly subscribers: number }[]> {
    return (await this.#core.commands.channels(pattern)).channels
  }

  /**
   * Takes tokens back at once, by the `jti` of one or all of a user: what was made with them ends, and they are refused from now on.
   * Returns how many sessions have ended.
   * @throws FusewireError `overloaded` when `maxRevocations` are in force; `invalid_field` for a target that names nobody, or both.
   */
  async revoke(target: RevocationTarget, options: RevokeOptions = {}): Promise<number> {
    return (await this.#core.commands.revoke(target, options)).sessions
  }

  /** Reads the certificate files again. */
  reloadCertificates(): Promise<void> {
    return this.#life.reloadCertificates()
  }

  /**
   * Leaves well: takes no more clients, tells those that are here to move at moments spread over `drainWindowMs`, answers what is under
   * way, and ends after `drainTimeoutMs` at most. Resolves at the end. Idempotent.
   */
  drain(): Promise<void>
  /** Has the clients of the target come back elsewhere, now; their sessions stay. Returns how many. */
  drain(target: Target): Promise<number>
  drain(target?: Target): Promise<unknown> {
    return target ? this.#move(target) : this.#life.leave((drain) => drain.begin())
  }

  /** Leaves now: as {@link Fusewire.drain}, which it may follow, but all clients are told at once. Idempotent. */
  close(): Promise<void> {
    return this.#life.leave((drain) => drain.close())
  }

  async #move(target: Target): Promise<number> {
    return (await this.#core.commands.moveUser(target)).sessions
  }
}

/** Makes a server to be embedded; see {@link Fusewire}. */
export const createFusewire = (options: CreateOptions = {}): Fusewire => new Fusewire(options)
