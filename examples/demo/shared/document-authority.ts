import type { AcceptedEdit, EditAnswer, ProposedEdit } from './document-edit.ts'
import type { SharedDocument } from './shared-document.ts'
import { apply, lengthAfter, lengthBefore, type TextOperation, transform } from './text-operation.ts'

export interface DocumentLimits {
  /** UTF-16 code units of the text. */
  readonly maxLength: number
  /** Edits kept: an editor that is further behind must open the document anew. */
  readonly maxLog: number
  /** Authors whose last sequence is remembered. */
  readonly maxAuthors: number
}

const DEFAULT_LIMITS: DocumentLimits = { maxLength: 20_000, maxLog: 2_000, maxAuthors: 200 }

/**
 * The one place that decides the order of edits. Each edit says which version it was made on; the authority rewrites it to
 * follow what has happened since, so that every editor which applies the accepted edits in order has the same text.
 */
export class DocumentAuthority {
  #text: string
  #version = 0
  readonly #log: TextOperation[] = []
  /** Insertion order is order of use, so that the author idle for longest is forgotten first. */
  readonly #applied = new Map<string, number>()
  readonly #limits: DocumentLimits

  constructor(text: string, limits: Partial<DocumentLimits> = {}) {
    this.#text = text
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
  }

  get text(): string {
    return this.#text
  }

  /** All there is, with every edit written into the text. */
  document(): SharedDocument {
    return { version: this.#version, text: this.#text, applied: Object.fromEntries(this.#applied), edits: {} }
  }

  /** The answer for the author, and the edit to tell everyone when it is new. */
  submit(proposed: ProposedEdit): { answer: EditAnswer; edit?: AcceptedEdit } {
    const { author, sequence, version } = proposed
    if (sequence <= (this.#applied.get(author) ?? 0)) return { answer: { accepted: true } }

    const missed = this.#version - version
    if (missed < 0 || missed > this.#log.length) return { answer: { accepted: false, reason: 'stale' } }

    let operation = proposed.operation
    const seen = this.#log.length - missed
    if (lengthBefore(operation) !== this.#lengthAt(seen)) return { answer: { accepted: false, reason: 'malformed' } }
    for (const earlier of this.#log.slice(seen)) operation = transform(earlier, operation)[1]
    if (lengthAfter(operation) > Math.max(this.#limits.maxLength, this.#text.length)) {
      return { answer: { accepted: false, reason: 'full' } }
    }

    this.#text = apply(this.#text, operation)
    this.#version += 1
    this.#log.push(operation)
    if (this.#log.length > this.#limits.maxLog) this.#log.shift()
    this.#remember(author, sequence)
    return { answer: { accepted: true }, edit: { version: this.#version, operation, author, sequence } }
  }

  /** The text's length before the edit at `index` of the log. */
  #lengthAt(index: number): number {
    const next = this.#log[index]
    return next ? lengthBefore(next) : this.#text.length
  }

  #remember(author: string, sequence: number): void {
    this.#applied.delete(author)
    this.#applied.set(author, sequence)
    if (this.#applied.size > this.#limits.maxAuthors) {
      const [idlest] = this.#applied.keys()
      if (idlest !== undefined) this.#applied.delete(idlest)
    }
  }
}
