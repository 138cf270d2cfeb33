import type { Socket } from 'node:net'
import type { Candidate } from './candidate.ts'
import { FrameCounter } from './frame-counter.ts'
import { clientFrame, openWebSocket, type Target } from './raw-web-socket.ts'
import { until } from './until.ts'

/** Sockets that are opened at a time. */
const OPENING = 50

/** Clients that count what they are sent. */
export class Subscribers {
  readonly #sockets: Socket[] = []
  readonly #counters: FrameCounter[] = []
  readonly #greetings: number

  private constructor(greetings: number) {
    this.#greetings = greetings
  }

  /** Opens them and waits until all are subscribed. `onFrame` is called for each message that comes after that. */
  static async open(target: Target, candidate: Candidate, count: number, onFrame?: () => void): Promise<Subscribers> {
    const subscribers = new Subscribers(candidate.greetings)
    try {
      for (let first = 0; first < count; first += OPENING)
        await Promise.all(
          Array.from({ length: Math.min(OPENING, count - first) }, () => subscribers.#add(target, candidate, onFrame)),
        )
      await until(() => subscribers.received >= 0, `${candidate.name}: subscribers are not ready`)
      return subscribers
    } catch (error) {
      subscribers.close()
      throw error
    }
  }

  /** Messages that all of them together have been sent after the greeting; negative while that is under way. */
  get received(): number {
    return this.#counters.reduce((sum, { frames }) => sum + frames, 0) - this.#counters.length * this.#greetings
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async #add(target: Target, candidate: Candidate, onFrame?: () => void): Promise<void> {
    const counter = new FrameCounter()
    this.#counters.push(counter)
    const socket = await openWebSocket(target)
    this.#sockets.push(socket)
    socket.on('data', (chunk: Buffer) => {
      const before = counter.frames
      counter.push(chunk)
      if (onFrame) for (let frame = Math.max(before, this.#greetings); frame < counter.frames; frame++) onFrame()
    })
    for (const message of candidate.subscribe) socket.write(clientFrame(message))
  }
}
