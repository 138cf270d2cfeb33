import { RenewingMap } from './renewing-map.ts'

interface Queue {
  running: number
  /** Each gives the next one its turn. */
  readonly waiting: (() => void)[]
}

/** Lets so much work of one owner run at a time; what is more waits for its turn, in its order. An owner without work takes no memory. */
export class Turns {
  readonly #max: number
  readonly #queues = new RenewingMap<object, Queue>()

  constructor(max: number) {
    this.#max = max
  }

  /** Owners with work. */
  get size(): number {
    return this.#queues.size
  }

  async run<T>(owner: object, work: () => Promise<T>): Promise<T> {
    const queue = this.#queueOf(owner)
    if (queue.running < this.#max) queue.running++
    else await new Promise<void>((resolve) => queue.waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = queue.waiting.shift()
      if (next) next()
      else if (--queue.running === 0) this.#queues.delete(owner)
    }
  }

  #queueOf(owner: object): Queue {
    const known = this.#queues.get(owner)
    if (known) return known
    const queue: Queue = { running: 0, waiting: [] }
    this.#queues.set(owner, queue)
    return queue
  }
}
