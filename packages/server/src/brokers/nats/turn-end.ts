/**
 * The end of a turn of the event loop, when all that has come in is read, whoever it came from. All who wait for the same one go on
 * together, so that what they send leaves in one write.
 */
export class TurnEnd {
  #next: Promise<void> | undefined

  wait(): Promise<void> {
    this.#next ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#next = undefined
        resolve()
      })
    })
    return this.#next
  }
}
