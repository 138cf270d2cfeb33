import type { ChannelRule, Engine } from '@fusewire/engine'
import type { Position } from '@fusewire/protocol'

/** A publication as it was really made. */
export interface Entry {
  readonly offset: number
  readonly data: unknown
  readonly tag: string
  readonly isPatch: boolean
  /** What the document was after it. */
  readonly document: unknown
}

/** A document after a flat patch, by the plainest reading of RFC 7396. */
export const patched = (document: unknown, patch: unknown): unknown => {
  const after: Record<string, unknown> = typeof document === 'object' && document !== null ? { ...document } : {}
  for (const [name, value] of Object.entries(patch as object)) {
    if (value === null) delete after[name]
    else after[name] = value
  }
  return after
}

/** Everything that was really published, by channel and epoch: what clients are told is compared with it. */
export class Journal {
  /** The rule of all channels. */
  readonly rule: Pick<ChannelRule, 'historySize' | 'recovery' | 'state'>
  readonly #epochs = new Map<string, Entry[]>()
  /** Epochs of channels whose document was removed, or whose history was lost. */
  readonly #over = new Set<string>()
  #serial = 0

  constructor(rule: Pick<ChannelRule, 'historySize' | 'recovery' | 'state'>) {
    this.rule = rule
  }

  /** Publishes with the engine, and takes it down. */
  publish(engine: Engine, channel: string, tag: string): void {
    const serial = ++this.#serial
    const isPatch = this.rule.state && serial % 7 !== 0
    const data = this.rule.state ? { [`n${serial % 3}`]: serial % 5 === 0 ? null : serial, serial } : serial
    const published = engine.publish(channel, { data, tags: { tag }, ...(isPatch && { patch: true as const }) })
    if (published instanceof Promise) throw new Error('the journal needs a broker that publishes at once')
    const { epoch, offset } = published.position
    const entries = this.#of(channel, epoch)
    if (entries.length + 1 !== offset) throw new Error(`offset ${offset} follows ${entries.length}`)
    entries.push({ offset, data, tag, isPatch, document: isPatch ? patched(entries.at(-1)?.document, data) : data })
  }

  /** Nothing is left of the channel's epochs until now. */
  lose(channel: string): void {
    for (const key of this.#epochs.keys()) if (key.startsWith(`${channel} `)) this.#over.add(key)
  }

  isOver(channel: string, epoch: string): boolean {
    return this.#over.has(`${channel} ${epoch}`)
  }

  /** The offset of the newest. */
  newest(channel: string, epoch: string): number {
    return this.#epochs.get(`${channel} ${epoch}`)?.length ?? 0
  }

  /** What passes the filter, after one position and up to an offset. */
  between(channel: string, after: Position, upTo: number, filter: string | undefined): readonly Entry[] {
    const entries = this.#epochs.get(`${channel} ${after.epoch}`) ?? []
    return entries.slice(after.offset, Math.max(0, upTo)).filter(({ tag }) => filter === undefined || tag === filter)
  }

  /** The document at a position; undefined when there is none. */
  document(channel: string, { epoch, offset }: Position): unknown {
    return this.#epochs.get(`${channel} ${epoch}`)?.[offset - 1]?.document
  }

  #of(channel: string, epoch: string): Entry[] {
    const key = `${channel} ${epoch}`
    const known = this.#epochs.get(key)
    if (known) return known
    const entries: Entry[] = []
    this.#epochs.set(key, entries)
    return entries
  }
}
