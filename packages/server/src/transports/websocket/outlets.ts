import type { Writable } from 'node:stream'
import type { Frame, Multicast, Slot } from '@fusewire/engine'
import { Batch } from '../batch.ts'
import { emptyList } from '../empty-list.ts'
import type { Flushable, FlushScheduler } from '../flush-scheduler.ts'
import type { TransportTraffic } from '../traffic.ts'

/** Whose stream an outlet writes to. */
export interface OutletOwner {
  /** Takes a frame while the outlet is shut. MUST NOT throw. */
  enqueue(frame: Frame, slot: Slot | undefined): void
  /** The stream asks to wait for `drain` before the next write. The outlet is shut already. */
  filled(): void
}

/** Stands for what is pending where nothing may be: at an outlet that is shut. */
const SHUT = Batch.start()

/**
 * The streams that frames are written to directly, each at a number, and what each has been sent in this turn: in arrays, so that a
 * fan-out touches nothing of a connection but its stream. With a thousand connections whatever else it touches is no longer in the
 * processor's cache, neither when a frame is pushed nor when the turn ends.
 *
 *     open ◀──reopen()── shut ──forget()──▶ shut for good
 *       └──shut(), full───▲
 */
export class Outlets implements Multicast, Flushable {
  /** Of nobody: what it is sent goes nowhere. */
  static readonly none = 0

  readonly #scheduler: FlushScheduler
  readonly #traffic: Pick<TransportTraffic, 'bytesOut'>
  /** By number, as the next two; absent where an outlet is shut for good. */
  readonly #streams: (Writable | undefined)[] = [undefined]
  readonly #owners: (OutletOwner | undefined)[] = [undefined]
  /** What is to be written when the turn ends. */
  readonly #pending: (Batch | undefined)[] = [SHUT]
  readonly #released: number[] = []
  /** The numbers of all outlets with something pending, among others that had. */
  readonly #waiting: number[] = []

  /** `traffic` is that of the streams. */
  constructor(scheduler: FlushScheduler, traffic: Pick<TransportTraffic, 'bytesOut'>) {
    this.#scheduler = scheduler
    this.#traffic = traffic
  }

  /** The number of a new outlet; one without a stream is shut for good. */
  open(owner: OutletOwner, stream?: Writable): number {
    const number = this.#released.pop() ?? this.#streams.length
    this.#streams[number] = stream
    this.#owners[number] = owner
    this.#pending[number] = stream ? undefined : SHUT
    return number
  }

  /** False where the outlet is shut. */
  push(number: number, frame: Frame): boolean {
    const pending = this.#pending[number]
    if (pending === SHUT) return false
    if (!pending) this.#wait(number)
    this.#pending[number] = (pending ?? this.#scheduler.start).append(frame)
    return true
  }

  send(numbers: readonly number[], frame: Frame, slot?: Slot): void {
    for (const number of numbers) if (!this.push(number, frame)) this.#owners[number]?.enqueue(frame, slot)
  }

  /** Writes what is pending. From now on its owner takes the frames. */
  shut(number: number): void {
    const pending = this.#pending[number]
    this.#pending[number] = SHUT
    if (pending && pending !== SHUT) this.#write(number, pending)
  }

  /** What comes from now on is written directly again, unless the outlet is shut for good. Idempotent. */
  reopen(number: number): void {
    if (this.#streams[number] && this.#pending[number] === SHUT) this.#pending[number] = undefined
  }

  /** The stream takes no more: drops what is pending, and shuts the outlet for good. */
  forget(number: number): void {
    this.#streams[number] = undefined
    this.#pending[number] = SHUT
  }

  /** Whatever is opened next may have the number, unless it is {@link Outlets.none}. */
  release(number: number): void {
    if (number === Outlets.none) return
    this.forget(number)
    this.#owners[number] = undefined
    this.#released.push(number)
  }

  flush(): void {
    for (const number of this.#waiting) {
      const pending = this.#pending[number]
      if (!pending || pending === SHUT) continue
      this.#pending[number] = undefined
      this.#write(number, pending)
    }
    emptyList(this.#waiting)
  }

  #wait(number: number): void {
    if (this.#waiting.push(number) === 1) this.#scheduler.add(this)
  }

  #write(number: number, batch: Batch): void {
    const bytes = batch.bytes()
    this.#traffic.bytesOut += bytes.byteLength
    if (this.#streams[number]?.write(bytes)) return
    this.#pending[number] = SHUT
    this.#owners[number]?.filled()
  }
}
