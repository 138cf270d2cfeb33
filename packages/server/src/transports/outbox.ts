import type { Frame, Slot } from '@fusewire/engine'
import type { Batch } from './batch.ts'
import { ConflatedFrames } from './conflated-frames.ts'
import type { Flushable, FlushQueue } from './flush-scheduler.ts'
import { Lag, type Lagging } from './lag.ts'
import type { TransportContext } from './transport-context.ts'

/** Where an {@link Outbox} writes to: the socket or the stream of a connection. */
export interface Sink extends Lagging {
  /** Takes the bytes. False asks to wait for {@link Outbox.drained} before the next write. MUST NOT throw. */
  write(bytes: Uint8Array): boolean
  /** More than `maxBufferedBytes` wait while the sink is full: the client is too slow, and the connection is to end. Called once. */
  overflow(): void
}

/**
 * The frames that a connection has been sent and has not written yet. What is pushed before its queue flushes it leaves in one
 * write; while the sink is full, frames wait here, up to `maxBufferedBytes`, and those with a slot replace one another.
 *
 * The limit counts what came after the sink was full and not the write that filled it, so that a recovery larger than the limit
 * still goes through.
 */
export class Outbox implements Flushable {
  #state: 'open' | 'full' | 'ended' = 'open'
  #pending: Batch | undefined
  /** What follows {@link #pending}, from the first frame on that had a slot and had to wait. */
  #conflated: ConflatedFrames | undefined
  #lag: Lag | undefined
  readonly #context: Pick<TransportContext, 'scheduler' | 'limits' | 'traffic' | 'log'>
  readonly #sink: Sink
  readonly #queue: FlushQueue

  /** `queue` is where it waits to be flushed. */
  constructor(
    context: Pick<TransportContext, 'scheduler' | 'limits' | 'traffic' | 'log'>,
    sink: Sink,
    queue: FlushQueue = context.scheduler,
  ) {
    this.#context = context
    this.#sink = sink
    this.#queue = queue
  }

  push(frame: Frame, slot?: Slot): void {
    if (this.#state === 'ended') return
    if (this.#state === 'full') {
      this.#wait(frame, slot)
      return
    }
    const pending = this.#pending
    this.#pending = (pending ?? this.#queue.start).append(frame)
    if (!pending) this.#queue.add(this)
  }

  /** Writes what is pending, unless the sink is full. */
  flush(): void {
    if (this.#state === 'open') this.#write()
  }

  /** Frames are neither waiting for the sink nor refused. */
  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Something that was written to the sink by others has filled it. */
  filled(): void {
    if (this.#state === 'open') this.#state = 'full'
  }

  /** The sink has room again. */
  drained(): void {
    if (this.#state !== 'full') return
    this.#state = 'open'
    this.#writeWaiting()
  }

  /** Writes what is pending even if the sink is full, and takes no more frames. Idempotent. */
  end(): void {
    if (this.#state === 'ended') return
    this.#writeWaiting()
    this.#state = 'ended'
  }

  /** Forgets what is pending and takes no more frames: the sink is gone. Idempotent. */
  abandon(): void {
    this.#pending = undefined
    this.#conflated = undefined
    this.#lag?.end()
    this.#state = 'ended'
  }

  get #waitingBytes(): number {
    return (this.#pending?.byteLength ?? 0) + (this.#conflated?.byteLength ?? 0)
  }

  #wait(frame: Frame, slot: Slot | undefined): void {
    this.#lag ??= new Lag(this.#context, this.#sink)
    this.#lag.begin()
    // Without slots, connections that wait for the same frames go on sharing their batch.
    if (slot === undefined && !this.#conflated) this.#pending = (this.#pending ?? this.#queue.start).append(frame)
    else {
      this.#conflated ??= new ConflatedFrames()
      if (this.#conflated.push(frame, slot)) this.#lag.conflated(this.#waitingBytes)
    }
    if (this.#waitingBytes > this.#context.limits.maxBufferedBytes) this.#overflow(this.#lag)
  }

  #writeWaiting(): void {
    this.#lag?.end()
    this.#pending = this.#conflated?.appendTo(this.#pending ?? this.#queue.start) ?? this.#pending
    this.#conflated = undefined
    this.#write()
  }

  #write(): void {
    const pending = this.#pending
    if (!pending) return
    this.#pending = undefined
    if (!this.#sink.write(pending.bytes())) this.#state = 'full'
  }

  #overflow(lag: Lag): void {
    lag.overflowed(this.#waitingBytes)
    this.abandon()
    this.#sink.overflow()
  }
}
