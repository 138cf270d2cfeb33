import {
  DENIAL_CODES,
  type DecidingEvent,
  type HookEvent,
  type InformingEvent,
  type Notice,
  type Question,
} from '@fusewire/engine'

/** What the application may decide. */
export const DECIDING_EVENTS = Object.keys(DENIAL_CODES) as readonly DecidingEvent[]

/** What it may hear of. */
export const INFORMING_EVENTS = ['disconnect', 'unsubscribe', 'channel_occupied', 'channel_vacated'] as const

export const HOOK_EVENTS = [...DECIDING_EVENTS, ...INFORMING_EVENTS] satisfies readonly HookEvent[]

/** Those that a pattern of channels can narrow; `refresh` has a channel only when it is about the token of a subscription. */
export const CHANNEL_EVENTS: readonly HookEvent[] = [
  'refresh',
  'subscribe',
  'publish',
  'unsubscribe',
  'channel_occupied',
  'channel_vacated',
]

export const isInforming = (event: HookEvent): event is InformingEvent => INFORMING_EVENTS.some((name) => name === event)

/** The channel that it is about, if it is about one. */
export const channelOf = (about: Question | Notice): string | undefined => ('channel' in about ? about.channel : undefined)
