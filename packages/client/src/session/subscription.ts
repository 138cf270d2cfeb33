import type { Member, Position, Publication, ServerMessage, SubscriptionRequest } from '@fusewire/protocol'
import type { ClientError } from '../client-error.ts'
import { Emitter } from '../emitter.ts'
import type { DocumentChange, LiveDocument } from '../state/live-document.ts'
import { present } from '../wire/present.ts'
import type { Requests } from './requests.ts'
import { TokenKeeper, type TokenSource } from './token-keeper.ts'

/** What a subscription asks for. */
export interface SubscriptionOptions extends TokenSource {
  /** Hear `join` and `leave`. */
  readonly presence?: boolean
  /** Only publications that carry these tags. */
  readonly tags?: Record<string, string>
  /** Deliver everything after this position first. */
  readonly since?: Position
}

/** What a holder asks for: a subscription, and perhaps the channel's document. */
export interface HolderOptions extends SubscriptionOptions {
  /** Makes the document; `isFirst` when the subscription begins with this holder, at `since`. */
  readonly document?: (events: Emitter<SubscriptionEvents>, isFirst: boolean) => LiveDocument
}

/** A subscription is live. */
export interface SubscribedEvent {
  /** Where the channel stands. */
  readonly position: Position
  /** True when everything that was missed follows. */
  readonly recovered: boolean
  /** True when there was something to recover: with `recovered` false, the state must be loaded anew. */
  readonly wasRecovering: boolean
}

export interface UnsubscribedEvent {
  /** Why the server ended the subscription; absent when it was this client's wish. */
  readonly code?: string
  readonly reason?: string
}

export interface SubscriptionEvents {
  publication: Publication
  change: DocumentChange
  subscribed: SubscribedEvent
  join: Member
  leave: Member
  unsubscribed: UnsubscribedEvent
  error: ClientError
}

/**
 * Where a subscription stands:
 *
 *          first holder            asked of the server       subscribed
 *     off ──────────────▶ wanted ───────────────────▶ asked ───────────▶ live
 *      ▲                    ▲ ▲                         │                  │
 *      │                    │ └─ connection lost, ──────┴──────────────────┤
 *      │                    │    or try again later                        │
 *      └── last holder left, refused, or ended by the server ◀─────────────┘
 */
export type SubscriptionState =
  | { readonly name: 'off' }
  | { readonly name: 'wanted' }
  | { readonly name: 'asked'; readonly id: number }
  | { readonly name: 'live'; readonly event: SubscribedEvent }

/**
 * What the server has of a channel: `nothing`; `something`, made by another connection or for nobody here, with tags and a position of
 * its own; or `this` subscription, so that what comes follows its position.
 */
export type Counterpart = 'nothing' | 'something' | 'this'

/** A channel as the whole client sees it; every `channel(name)` with the same name shares it. */
export interface Subscription {
  readonly channel: string
  readonly events: Emitter<SubscriptionEvents>
  /** Who wants it, and how to tell that one of its end where it wants to know. */
  readonly holders: Map<object, ((error?: ClientError) => void) | undefined>
  /** Who waits for it to be live. */
  readonly waiters: { readonly resolve: (event: SubscribedEvent) => void; readonly reject: (error: ClientError) => void }[]
  options: SubscriptionOptions
  tokens?: TokenKeeper
  state: SubscriptionState
  counterpart: Counterpart
  /** The last publication that was delivered. */
  position?: Position | undefined
  /** The channel's document, where a holder asks for it. */
  document?: LiveDocument | undefined
  /** Tries that have failed in a row. */
  attempt: number
  /** The token has been asked for anew since it was last accepted. */
  isRenewed: boolean
  retryTimer?: ReturnType<typeof setTimeout>
}

export const newSubscription = (channel: string): Subscription => ({
  channel,
  events: new Emitter(),
  holders: new Map(),
  waiters: [],
  options: {},
  state: { name: 'off' },
  counterpart: 'nothing',
  attempt: 0,
  isRenewed: false,
})

/** The first holder says how the channel is subscribed. */
export const configure = (subscription: Subscription, options: HolderOptions, requests: Requests): void => {
  const { channel, events } = subscription
  subscription.options = options
  subscription.position = options.since ?? subscription.position
  subscription.tokens = new TokenKeeper(
    options,
    (token) => requests.refresh(token, channel),
    (error) => events.emit('error', error),
  )
}

/** What a subscription asks of the server now. */
export const requestOf = ({
  channel,
  options: { presence, tags },
  tokens,
  position,
  document,
}: Subscription): SubscriptionRequest =>
  // Whoever names no position is told the whole document.
  present({ channel, presence, tags, token: tokens?.token, since: document?.isMissing ? undefined : position })

const tagsOf = ({ tags = {} }: SubscriptionOptions): string => JSON.stringify(Object.entries(tags).sort())

/** Whether a holder that asks for `wanted` is served by a subscription made with `options`. */
export const fits = (options: SubscriptionOptions, wanted: SubscriptionOptions): boolean =>
  (!wanted.presence || options.presence === true) && tagsOf(wanted) === tagsOf(options)

/** False for what comes of another subscription that the server still has in the channel: only what is asked for takes its place. */
export const isAbout = ({ state, counterpart }: Subscription, message: ServerMessage): boolean => {
  if (state.name === 'off' || counterpart === 'this') return true
  if (message.type === 'subscribed') return state.name === 'asked' && state.id === message.id
  return message.type !== 'publication'
}
