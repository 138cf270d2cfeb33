import {
  type ClientMessage,
  FusewireError,
  type HistoryResult,
  LIMITS,
  type PresenceResult,
  type Publish,
  type PublishResult,
  type RefreshResult,
  type ServerMessage,
} from '@fusewire/protocol'
import { type Action, assertAllowed, assertHistoryReadable, assertPresenceVisible, isAllowed } from './access.ts'
import { after } from './after.ts'
import { assertChannelName } from './channel-name.ts'
import { ConflictError } from './conflict-error.ts'
import type { HookQuestions } from './hook-questions.ts'
import { clientKey } from './idempotency-key.ts'
import { Lanes } from './lanes.ts'
import type { Authenticator, Identity } from './ports/authenticator.ts'
import type { Awaitable, Broker, PublicationDraft } from './ports/broker.ts'
import type { PresenceStore } from './ports/presence-store.ts'
import type { Revocations } from './ports/revocations.ts'
import type { Publisher } from './publisher.ts'
import type { RpcRouter } from './rpc-router.ts'
import type { RuleBook } from './rule-book.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface SessionRequestsPorts {
  readonly rules: RuleBook
  readonly broker: Broker
  readonly publisher: Publisher
  readonly presence: PresenceStore
  readonly authenticator: Authenticator
  readonly revocations: Revocations
  readonly sessions: Sessions
  readonly subscriptions: Subscriptions
  readonly rpc: RpcRouter
  readonly questions: HookQuestions
}

/** What a session may ask once it is connected. */
export type SessionRequest = Exclude<ClientMessage, { type: 'connect' | 'ping' | 'echo' | 'disconnect' }>

/** A `history` that names no limit is answered with this many publications at most. */
const DEFAULT_HISTORY_LIMIT = 100

/**
 * Carries out a session's requests. `handle` answers with the message for the client, or nothing where the answer has been sent.
 * It throws, or rejects with, what the client did wrong.
 */
export class SessionRequests {
  readonly #ports: SessionRequestsPorts
  /** Publications about which the application is asked: those of one session in one channel keep their order. */
  readonly #lanes = new Lanes()

  constructor(ports: SessionRequestsPorts) {
    this.#ports = ports
  }

  handle(session: Session, request: SessionRequest): Awaitable<ServerMessage | undefined> {
    switch (request.type) {
      case 'publish':
        return this.#publish(session, request)
      case 'subscribe':
        return this.#ports.subscriptions.subscribe(session, request).then(() => undefined)
      case 'unsubscribe':
        return this.#unsubscribe(session, request)
      case 'history':
        return this.#history(session, request)
      case 'presence':
        return this.#presence(session, request)
      case 'rpc':
        return this.#rpc(session, request)
      case 'refresh':
        return this.#refresh(session, request)
    }
  }

  #publish(session: Session, request: Publish): Awaitable<ServerMessage | undefined> {
    const { channel } = request
    assertChannelName(channel)
    assertAllowed('publish', channel, this.#ports.rules.of(channel).publish, session)
    if (!this.#ports.questions.isAsked('publish', channel)) return this.#publishNow(session, request)
    const { link } = session
    return this.#lanes.run(`${session.id} ${channel}`, () => this.#publishIfAllowed(session, link, request))
  }

  /**
   * The request is its connection's: when the session has lost or changed that before its turn or meanwhile, it comes to nothing. Of
   * several that wait none may be left over, because the client repeats all of them.
   */
  async #publishIfAllowed(session: Session, link: Session['link'], request: Publish): Promise<ServerMessage | undefined> {
    if (session.link !== link) return undefined
    const permission = await this.#ports.questions.publish(session, request)
    if (session.link !== link) return undefined
    if (permission.decision === 'skip') return this.#skip(request)
    const { decision: _, ...changes } = permission
    return this.#publishNow(session, { ...request, ...changes })
  }

  /** Nothing is published, and the client cannot tell: its result has the channel's newest position. */
  async #skip({ id, channel }: Publish): Promise<ServerMessage | undefined> {
    if (id === undefined) return undefined
    const { position } = await this.#ports.broker.history(channel, { limit: 0 })
    return result(id, { position } satisfies PublishResult)
  }

  /** Without an `id` nobody waits for an answer, and none is made. */
  #publishNow(
    session: Session,
    { id, channel, data, tags, key, patch, ifPosition }: Publish,
  ): Awaitable<ServerMessage | undefined> {
    const draft: PublicationDraft = { data, ...(tags && { tags }), ...(patch && { patch }), sender: session.member() }
    const options = {
      ...(key !== undefined && { idempotencyKey: clientKey(session.user, key) }),
      ...(ifPosition && { ifPosition }),
    }
    return settled(
      () => this.#ports.publisher.publish(channel, draft, options),
      ({ position, duplicate }) =>
        id === undefined ? undefined : result(id, { position, ...(duplicate && { duplicate }) } satisfies PublishResult),
      (error) => this.#asSeenBy(session, channel, error),
    )
  }

  /** A conflict tells a publisher of the document only if it may read the channel. */
  #asSeenBy(session: Session, channel: string, error: unknown): unknown {
    if (!(error instanceof ConflictError) || session.subscriptions.has(channel)) return error
    const { rules, questions } = this.#ports
    const mayRead =
      isAllowed('subscribe', channel, rules.of(channel).subscribe, session) && !questions.isAsked('subscribe', channel)
    return mayRead ? error : error.withoutDocument()
  }

  #unsubscribe(session: Session, { id, channel }: SessionRequest & { type: 'unsubscribe' }): ServerMessage {
    if (!this.#ports.subscriptions.unsubscribe(session, channel)) throw new FusewireError('not_subscribed')
    return { type: 'unsubscribed', channel, ...(id !== undefined && { id }) }
  }

  #history(
    session: Session,
    { id, channel, since, limit, reverse }: SessionRequest & { type: 'history' },
  ): Awaitable<ServerMessage> {
    assertChannelName(channel)
    assertHistoryReadable(channel, this.#ports.rules.of(channel), session)
    this.#assertLetIn('history', channel, session)
    const query = {
      limit: Math.min(limit ?? DEFAULT_HISTORY_LIMIT, LIMITS.historyLimit),
      ...(since && { since }),
      ...(reverse && { reverse }),
    }
    return after(this.#ports.broker.history(channel, query), ({ position, publications, complete }) =>
      result(id, { position, publications, ...(since && { recovered: complete }) } satisfies HistoryResult),
    )
  }

  #presence(session: Session, { id, channel }: SessionRequest & { type: 'presence' }): Awaitable<ServerMessage> {
    assertChannelName(channel)
    assertPresenceVisible(channel, this.#ports.rules.of(channel), session)
    this.#assertLetIn('presence', channel, session)
    return after(this.#ports.presence.list(channel), (members) => result(id, { members } satisfies PresenceResult))
  }

  /** Where the application decides who may enter, only those read that it has let in, and those whose capabilities name this very action. */
  #assertLetIn(action: Action, channel: string, session: Session): void {
    if (!this.#ports.questions.isAsked('subscribe', channel) || session.subscriptions.has(channel)) return
    if (session.capabilities.allows(action, channel)) return
    throw new FusewireError('permission_denied', `the application decides who may subscribe to ${channel}: subscribe first`)
  }

  async #rpc(session: Session, { id, method, data }: SessionRequest & { type: 'rpc' }): Promise<ServerMessage> {
    const { rpc, questions } = this.#ports
    if (rpc.has(method) || !questions.isAsked('rpc')) return result(id, await rpc.call(method, data, session.member()))
    return result(id, (await questions.rpc(session, method, data)).data)
  }

  async #refresh(session: Session, { id, channel, token }: SessionRequest & { type: 'refresh' }): Promise<ServerMessage> {
    const expiresAt =
      channel === undefined ? await this.#renew(session, token) : await this.#ports.subscriptions.refresh(session, channel, token)
    return result(id, { ...(expiresAt !== undefined && { expiresAt }) } satisfies RefreshResult)
  }

  async #renew(session: Session, token: string): Promise<number | undefined> {
    const { link } = session
    let identity = await this.#ports.authenticator.authenticate(token)
    // A connection that has taken over meanwhile may have brought a newer one.
    if (session.link !== link) return undefined
    if (identity.uncheckedToken === undefined && identity.user !== session.user)
      throw new FusewireError('token_invalid', 'the new token belongs to another user')
    if (this.#ports.questions.isAsked('refresh')) {
      identity = await this.#ask(session, identity)
      if (session.link !== link) return undefined
    } else if (identity.uncheckedToken !== undefined)
      throw new FusewireError('token_invalid', 'the application has no refresh hook that could judge the token')
    if (this.#ports.revocations.isRevoked(identity)) throw new FusewireError('token_revoked')
    this.#ports.sessions.renew(session, identity)
    return identity.expiresAt
  }

  /** What a token that only the application can read does not change, stays as it is. */
  async #ask(session: Session, identity: Identity): Promise<Identity> {
    const { uncheckedToken: token, expiresAt } = identity
    const { decision: _, ...changes } = await this.#ports.questions.refresh(session, { token, expiresAt })
    if (token === undefined) return { ...identity, ...changes }
    const { expiresAt: _end, ...known } = session.identity
    return { ...known, ...changes }
  }
}

const result = (id: number | undefined, data: unknown): ServerMessage => ({
  type: 'result',
  ...(id !== undefined && { id }),
  ...(data !== undefined && { data }),
})

/** What `next` makes of the outcome, in this turn when it is here already; `face` makes another error of what goes wrong in the work. */
const settled = <T, U>(work: () => Awaitable<T>, next: (value: T) => U, face: (error: unknown) => unknown): Awaitable<U> => {
  const refuse = (error: unknown): never => {
    throw face(error)
  }
  let value: Awaitable<T>
  try {
    value = work()
  } catch (error) {
    return refuse(error)
  }
  return value instanceof Promise ? value.then(next, refuse) : next(value)
}
