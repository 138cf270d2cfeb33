/** When a publication that was heard was due, and when it was made. */
export type OnPublication = (dueAt: number, madeAt: number) => void

const BEFORE_DATA = '"data":"'
const STAMPS = /([\d.]+) ([\d.]+) /uy

/** Finds publications in the text of a stream whose chunks may end anywhere, and decodes nothing else. */
export class HeardPublications {
  readonly #onPublication: OnPublication
  #rest = ''

  constructor(onPublication: OnPublication) {
    this.#onPublication = onPublication
  }

  push(chunk: Buffer): void {
    const text = this.#rest + chunk.toString('latin1')
    let at = 0
    for (;;) {
      const begin = text.indexOf(BEFORE_DATA, at)
      if (begin < 0) {
        this.#rest = text.slice(Math.max(at, text.length - BEFORE_DATA.length + 1))
        return
      }
      STAMPS.lastIndex = begin + BEFORE_DATA.length
      const [, dueAt, madeAt] = STAMPS.exec(text) ?? []
      if (madeAt === undefined) {
        this.#rest = text.slice(begin)
        return
      }
      at = STAMPS.lastIndex
      this.#onPublication(Number(dueAt), Number(madeAt))
    }
  }
}
