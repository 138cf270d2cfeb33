/** Why the line went: the visitor cut it, moved to another transport, or it was lost in earnest. */
export type OutageCause = 'cut' | 'moved' | 'lost'

export type OutageStep =
  | { readonly kind: 'waiting'; readonly at: number; readonly retryAt: number }
  | { readonly kind: 'connecting'; readonly at: number; readonly transport: string }

/** One time without a line, as the page has seen it. Times in milliseconds since the epoch. */
export interface Outage {
  readonly cause: OutageCause
  readonly cutAt: number
  readonly steps: readonly OutageStep[]
  readonly back?: { readonly at: number; readonly transport: string; readonly resumed: boolean }
  /** Publications of the time without a line that came afterwards. */
  readonly recovered: number
  /** Channels which said that something could not be recovered. */
  readonly incomplete: readonly string[]
}

export type OutageEvent =
  | { readonly type: 'lost'; readonly at: number; readonly cause: OutageCause }
  | { readonly type: 'step'; readonly step: OutageStep }
  | { readonly type: 'back'; readonly at: number; readonly transport: string; readonly resumed: boolean }
  | { readonly type: 'subscribed'; readonly channel: string; readonly recovered: boolean; readonly publications: number }

/** Outages remembered, for the strip. */
const KEPT = 20

/** Tells the story on: the newest outage stands last. */
export const tellOutage = (outages: readonly Outage[], event: OutageEvent): readonly Outage[] => {
  const current = outages.at(-1)
  const rest = outages.slice(0, -1)
  if (event.type === 'lost') {
    // Still without a line: it is the same outage.
    if (current && !current.back) return outages
    return [...outages, { cause: event.cause, cutAt: event.at, steps: [], recovered: 0, incomplete: [] }].slice(-KEPT)
  }
  if (!current) return outages
  switch (event.type) {
    case 'step':
      return current.back ? outages : [...rest, { ...current, steps: [...current.steps, event.step] }]
    case 'back': {
      const { at, transport, resumed } = event
      return current.back ? outages : [...rest, { ...current, back: { at, transport, resumed } }]
    }
    case 'subscribed': {
      const recovered = current.recovered + event.publications
      const incomplete = event.recovered ? current.incomplete : [...current.incomplete, event.channel]
      return [...rest, { ...current, recovered, incomplete }]
    }
  }
}
