/**
 * Finds out that answers, which come in the order of their questions, do not come any more. One timer for all of them: it costs a
 * question a number and, once a millisecond, an entry.
 */
export class AnswerWatch {
  readonly #timeoutMs: number
  readonly #hung: () => void
  #asked = 0
  #answered = 0
  /** Which question was the last to be asked at what time; the oldest first. */
  #marks: { last: number; readonly at: number }[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(timeoutMs: number, hung: () => void) {
    this.#timeoutMs = timeoutMs
    this.#hung = hung
  }

  asked(): void {
    this.#asked++
    const at = Math.floor(performance.now())
    const newest = this.#marks.at(-1)
    if (newest?.at === at) newest.last = this.#asked
    else this.#marks.push({ last: this.#asked, at })
    this.#timer ??= setTimeout(this.#due, this.#timeoutMs)
  }

  answered(): void {
    if (++this.#answered === this.#asked) this.#marks = []
  }

  get isIdle(): boolean {
    return this.#asked === this.#answered
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#marks = []
  }

  // Answers that lie in the socket because this process itself stood still are read first.
  readonly #due = (): void => void setImmediate(this.#check)

  readonly #check = (): void => {
    if (this.#timer === undefined) return
    this.#timer = undefined
    const pending = this.#marks.findIndex(({ last }) => last > this.#answered)
    this.#marks = pending < 0 ? [] : this.#marks.slice(pending)
    const [oldest] = this.#marks
    if (!oldest) return
    const left = oldest.at + this.#timeoutMs - Math.floor(performance.now())
    if (left <= 0) this.#hung()
    else this.#timer = setTimeout(this.#due, left)
  }
}
