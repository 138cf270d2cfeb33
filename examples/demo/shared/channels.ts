/** Every channel of the demo. The server's rules and the page's rooms both read them here. */
export const CHANNELS = {
  lobby: 'chat:lobby',
  /** Who is typing, at this moment: nothing to keep. */
  typing: 'chat:lobby:typing',
  market: (symbol: string): string => `market:${symbol}`,
  everyone: 'notifications:everyone',
  /** Only the user whose id stands after the last colon may listen. */
  personal: (user: string): string => `notifications:user:${user}`,
  document: 'document:shared',
  /** Where everyone's caret is, at this moment: nothing to keep. */
  carets: 'document:shared:carets',
  device: 'device:local',
  /** Its load, second by second, for the chart. */
  deviceLoad: 'device:local:load',
} as const

/** Channels of the moment keep no history: what is missed in them is not worth having afterwards. */
export const MOMENTARY: readonly string[] = [CHANNELS.typing, CHANNELS.carets]

/** The methods that the demo's server answers. */
export const METHODS = {
  editDocument: 'document.edit',
  notify: 'notify',
} as const
