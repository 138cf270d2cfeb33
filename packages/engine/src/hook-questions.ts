import { FusewireError, type Publish } from '@fusewire/protocol'
import type { ChannelGrant, Identity } from './ports/authenticator.ts'
import type { Environment } from './ports/environment.ts'
import {
  type Answers,
  type ClientDetails,
  type ConnectPermission,
  DENIAL_CODES,
  type DecidingEvent,
  type Denial,
  type Hooks,
  type PublishPermission,
  type PublishSkip,
  type Questions,
  type RefreshPermission,
  type RpcPermission,
  type SubscribePermission,
} from './ports/hooks.ts'
import type { Session } from './session.ts'
import { Turns } from './turns.ts'

export interface QuestionLimits {
  /** Questions about one session that wait for their answer at a time; more wait for their turn. Default 16. */
  readonly hookMaxConcurrentPerSession: number
}

/** Puts to the application what it wants to decide. A refusal is thrown, with its code. */
export class HookQuestions {
  readonly #hooks: Hooks
  readonly #environment: Environment
  readonly #turns: Turns

  constructor(hooks: Hooks, environment: Environment, { hookMaxConcurrentPerSession }: QuestionLimits) {
    this.#hooks = hooks
    this.#environment = environment
    this.#turns = new Turns(hookMaxConcurrentPerSession)
  }

  /** Whether there is anybody to ask; where not, nothing is made and nothing waits. */
  isAsked(event: DecidingEvent, channel?: string): boolean {
    return this.#hooks.takes(event, channel)
  }

  /** `resumed` is the session that the client wants to go on with. */
  async connect(identity: Identity, client: ClientDetails, resumed: Pick<Session, 'id'> | undefined): Promise<Identity> {
    const { uncheckedToken: token, ...known } = identity
    const askedAt = this.#environment.now()
    const permission: ConnectPermission = allowed(
      'connect',
      await this.#hooks.ask<'connect'>({
        ...this.#stamp('connect'),
        ...(resumed && { session: resumed.id }),
        ...identified(known),
        ...client,
        ...(token !== undefined && { token }),
      }),
    )
    const { decision: _, ...changes } = permission
    // Whom no token but the application names, it names now: a revocation of earlier tokens is not about it. One that came while it was
    // asked is, because its answer may be from before.
    return { ...known, ...(known.user === undefined && { issuedAt: askedAt }), ...changes }
  }

  async refresh(
    session: Session,
    { channel, token, expiresAt }: { channel?: string | undefined; token?: string | undefined; expiresAt?: number | undefined },
  ): Promise<RefreshPermission> {
    const question: Questions['refresh'] = {
      ...this.#about('refresh', session),
      ...(channel !== undefined && { channel }),
      ...(token !== undefined && { token }),
      ...(expiresAt !== undefined && { expiresAt }),
    }
    return allowed('refresh', await this.#ask<'refresh'>(session, question))
  }

  /** `grant` is that of a channel token, if there was one. */
  async subscribe(session: Session, channel: string, grant: ChannelGrant | undefined): Promise<ChannelGrant> {
    const question: Questions['subscribe'] = { ...this.#about('subscribe', session), channel }
    const permission: SubscribePermission = allowed('subscribe', await this.#ask<'subscribe'>(session, question))
    const { decision: _, ...changes } = permission
    return { channel, ...grant, ...changes }
  }

  /** Only what the protocol knows is passed on: a client may send any other field besides, one called `user` too. */
  async publish(
    session: Session,
    { channel, data, tags, key, patch, ifPosition }: Publish,
  ): Promise<PublishPermission | PublishSkip> {
    const question: Questions['publish'] = {
      ...this.#about('publish', session),
      channel,
      data,
      ...(tags && { tags }),
      ...(key !== undefined && { key }),
      ...(patch !== undefined && { patch }),
      ...(ifPosition && { ifPosition }),
    }
    return allowed('publish', await this.#ask<'publish'>(session, question))
  }

  async rpc(session: Session, method: string, data: unknown): Promise<RpcPermission> {
    const question = { ...this.#about('rpc', session), method, ...(data !== undefined && { data }) }
    return allowed('rpc', await this.#ask<'rpc'>(session, question))
  }

  /** One client's questions leave room for those of the others. What its connection does not wait for any more is not asked. */
  #ask<E extends DecidingEvent>(session: Session, question: Questions[E]): Promise<Answers[E]> {
    const { link } = session
    return this.#turns.run(session, () => {
      if (session.link !== link) throw new FusewireError('not_connected')
      return this.#hooks.ask<E>(question)
    })
  }

  #stamp<E extends DecidingEvent>(event: E): { event: E; id: string; time: number } {
    return { event, id: this.#environment.id(), time: this.#environment.now() }
  }

  #about<E extends DecidingEvent>(event: E, session: Session) {
    return { ...this.#stamp(event), session: session.id, ...identified(session.identity), ...session.client }
  }
}

/** Who it is, as the application is told. */
export const identified = ({ user, info }: Identity): Pick<Identity, 'user' | 'info'> => ({
  ...(user !== undefined && { user }),
  ...(info !== undefined && { info }),
})

const allowed = <E extends DecidingEvent, Answer extends Answers[E]>(
  event: E,
  answer: Answer,
): Exclude<Answer, Denial<DecidingEvent>> => {
  if (answer.decision === 'deny') throw new FusewireError(answer.code ?? DENIAL_CODES[event][0], answer.message)
  return answer as Exclude<Answer, Denial<DecidingEvent>>
}
