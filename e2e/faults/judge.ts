import type { Journal } from './journal.ts'
import type { Told } from './told.ts'

/**
 * What the channel's rule promises to a client that comes back. `stream`: everything that it has missed, while so many publications
 * and bytes of JSON are kept; `latest`: the newest publication; `none`: nothing.
 */
export type Promised =
  | { readonly recovery: 'stream'; readonly historySize: number; readonly historyBytes: number }
  | { readonly recovery: 'latest' }
  | { readonly recovery: 'none' }

export type ViolationKind =
  /** Publications were passed over, and nobody said so. */
  | 'missing'
  /** One came again. */
  | 'duplicate'
  /** One came that should have come earlier. */
  | 'disorder'
  /** It is not what was published there. */
  | 'forged'
  /** `recovered: false` was said without need, or `true` without ground. */
  | 'dishonest'
  /** What was published never came. */
  | 'stalled'
  /** Something else that no fault of the line explains: a refusal, an error, an end for good. */
  | 'broken'

export interface Violation {
  readonly kind: ViolationKind
  /** Publications that it is about. */
  readonly count: number
  readonly message: string
}

export interface Verdict {
  readonly delivered: number
  /** Recoveries that were complete, and those of which the subscriber was told that they are not. */
  readonly recovered: number
  readonly lost: number
  readonly violations: readonly Violation[]
}

/** A publication is kept with an offset, a time and perhaps more: bytes that count beside its data. */
const MAX_OVERHEAD_BYTES = 256

/** How a subscriber stands in the epoch of its last `subscribed`. */
interface Standing {
  readonly epoch: string
  next: number
  readonly seen: Set<number>
}

/**
 * The promise of resume, as a subscriber can hold the server to it: from its first `subscribed` on every publication comes once, in
 * order; but after an honest `recovered: false`, which may only be said when the history does not reach back far enough or is that of
 * another epoch, they go on from the position that came with it. Knows nothing but what was published and what was told.
 */
export const judge = (told: readonly Told[], journal: Journal, promised: Promised): Verdict => {
  const violations: Violation[] = []
  const sum = { delivered: 0, recovered: 0, lost: 0 }
  let standing: Standing | undefined

  for (const [index, item] of told.entries()) {
    const violate = (kind: ViolationKind, what: string, count = 1): void => {
      const context = told.slice(Math.max(0, index - 5), index + 3).map((each) => JSON.stringify(each))
      violations.push({ kind, count, message: `${what} (item ${index}, ${standing?.next} was due):\n${context.join('\n')}` })
    }
    if (item.kind === 'publication') {
      if (!standing) violate('disorder', 'a publication came before the subscription')
      else take(item, standing, violate)
      continue
    }
    const { position, wasRecovering, recovered } = item
    const { epoch } = position
    const missed = standing?.epoch === epoch ? position.offset + 1 - standing.next : Number.POSITIVE_INFINITY
    // The newest comes along at first too, and makes up for all before it, those of other epochs included.
    const newest = promised.recovery === 'latest' ? Math.max(1, position.offset) : position.offset + 1
    if (!standing) {
      standing = { epoch, next: newest, seen: new Set() }
      continue
    }
    if (!wasRecovering) violate('dishonest', 'a subscription began anew')
    if (recovered) {
      sum.recovered++
      if (promised.recovery !== 'latest' && standing.epoch !== epoch)
        violate('dishonest', 'recovered is true, and the epoch is another')
      if (promised.recovery === 'latest' && missed > 0)
        standing = standing.epoch === epoch ? { ...standing, next: newest } : { epoch, next: newest, seen: new Set() }
      continue
    }
    sum.lost++
    if (mustBeKept(missed, standing, journal, promised))
      violate('dishonest', `recovered is false, and only ${missed} were missed`)
    standing = { epoch, next: position.offset + 1, seen: new Set() }
  }
  return { ...sum, violations }

  function take(
    { offset, data }: Extract<Told, { kind: 'publication' }>,
    at: Standing,
    violate: (kind: ViolationKind, what: string, count?: number) => void,
  ): void {
    sum.delivered++
    if (at.seen.has(offset)) violate('duplicate', 'a publication came twice')
    else if (offset < at.next) violate('disorder', 'a publication came out of order')
    else if (offset > at.next) violate('missing', 'a publication is missing', offset - at.next)
    at.seen.add(offset)
    at.next = Math.max(at.next, offset + 1)
    try {
      journal.see({ epoch: at.epoch, offset }, data)
    } catch (error) {
      violate('forged', (error as Error).message)
    }
  }
}

/** Whether everything that was missed is still kept, for sure. */
const mustBeKept = (missed: number, { epoch, next }: Standing, journal: Journal, promised: Promised): boolean => {
  if (missed === Number.POSITIVE_INFINITY || promised.recovery === 'none') return false
  if (promised.recovery === 'latest') return true
  if (missed > promised.historySize) return false
  const kept = journal.between(epoch, next - 1, next - 1 + missed)
  // Nobody knows yet how long one is whose answer is under way.
  if (kept.includes(undefined)) return false
  const bytes = kept.reduce((total, text = '') => total + Buffer.byteLength(text) + MAX_OVERHEAD_BYTES, 0)
  return bytes <= promised.historyBytes
}
