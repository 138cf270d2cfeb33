/** Work that is begun again and again, and never while it still goes on. What fails is left to the next time. */
export class RepeatedWork {
  readonly #work: () => Promise<void>
  #current: Promise<void> | undefined

  constructor(work: () => Promise<void>) {
    this.#work = work
  }

  begin(): void {
    this.#current ??= this.#work()
      .catch(() => undefined)
      .finally(() => {
        this.#current = undefined
      })
  }

  /** Resolves when what was begun has come to its end. */
  async settled(): Promise<void> {
    await this.#current
  }
}
