import { BEHIND, type PublishAnswer, TO_BE_MEASURED } from './publish-call.ts'

/** A publication that makes a document. */
export interface DocumentJob {
  /** Sends it as it is. */
  readonly send: (lane: string) => Promise<PublishAnswer>
  /** Makes the document here, and sends both, until they fit what others publish meanwhile. */
  readonly measure: (newLane: () => string) => Promise<PublishAnswer>
}

interface Queued {
  readonly order: number
  readonly job: DocumentJob
  isMeasured: boolean
  readonly resolve: (answer: PublishAnswer) => void
  readonly reject: (error: unknown) => void
}

let lanes = 0

const newLane = (): string => (++lanes).toString(36)

/**
 * The publications of this node that make one channel's document. They are sent without waiting for one another, until a patch has to
 * be measured: Redis then refuses those that were sent behind it, which carry the name of the same lane, so that they keep their order;
 * all of them go again one by one.
 */
export class DocumentLane {
  readonly #idle: () => void
  #lane = newLane()
  #order = 0
  #underWay = 0
  #queue: Queued[] = []
  #isDraining = false
  #waiting: (() => void)[] = []

  /** `idle` hears whenever nothing is under way any more. */
  constructor(idle: () => void) {
    this.#idle = idle
  }

  add(job: DocumentJob): Promise<PublishAnswer> {
    return new Promise((resolve, reject) => {
      const queued: Queued = { order: ++this.#order, job, isMeasured: false, resolve, reject }
      if (this.#isDraining || this.#queue.length > 0) this.#queue.push(queued)
      else this.#send(queued)
    })
  }

  /** Settles once nothing is under way. */
  settled(): Promise<void> {
    if (this.#isIdle) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  get #isIdle(): boolean {
    return this.#underWay === 0 && this.#queue.length === 0 && !this.#isDraining
  }

  #send(queued: Queued): void {
    this.#underWay++
    queued.job.send(this.#lane).then(
      (answer) => {
        this.#underWay--
        if (answer.status !== TO_BE_MEASURED && answer.status !== BEHIND) queued.resolve(answer)
        else {
          queued.isMeasured = answer.status === TO_BE_MEASURED
          this.#queue.push(queued)
        }
        this.#next()
      },
      (error: unknown) => {
        this.#underWay--
        queued.reject(error)
        this.#next()
      },
    )
  }

  #next(): void {
    if (this.#underWay > 0 || this.#isDraining) return
    if (this.#queue.length > 0) void this.#drain()
    else this.#rest()
  }

  #rest(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
    this.#idle()
  }

  async #drain(): Promise<void> {
    this.#isDraining = true
    // Those that came meanwhile stand before those that were refused.
    this.#queue.sort((one, other) => one.order - other.order)
    for (let queued = this.#queue.shift(); queued; queued = this.#queue.shift()) {
      try {
        queued.resolve(await this.#again(queued))
      } catch (error) {
        queued.reject(error)
      }
    }
    this.#lane = newLane()
    this.#isDraining = false
    this.#rest()
  }

  async #again({ job, isMeasured }: Queued): Promise<PublishAnswer> {
    if (!isMeasured) {
      const answer = await job.send(newLane())
      if (answer.status !== TO_BE_MEASURED) return answer
    }
    return job.measure(newLane)
  }
}
