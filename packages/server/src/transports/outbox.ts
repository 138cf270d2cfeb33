import type { Frame } from '@fusewire/engine'
import type { Batch } from './batch.ts'
import type { Flushable, FlushScheduler } from './flush-scheduler.ts'

/** Where an {@link Outbox} writes to: a socket or a stream. */
export interface Sink {
  /** Takes the bytes. False asks to wait for {@link Outbox.drained} before the next write. MUST NOT throw. */
  write(bytes: Uint8Array): boolean
  /** More than `maxBufferedBytes` wait while the sink is full: the client is too slow. Called once. */
  overflow(): void
}

/**
 * The frames that a connection has been sent and has not written yet. What is pushed within one event-loop turn leaves in one
 * write; while the sink is full, frames wait here, up to `maxBufferedBytes`.
 *
 * The limit counts what came after the sink was full and not the write that filled it, so that a recovery larger than the limit
 * still goes through.
 */
export class Outbox implements Flushable {
  #state: 'open' | 'full' | 'ended' = 'open'
  #pending: Batch | undefined
  readonly #scheduler: FlushScheduler
  readonly #sink: Sink
  readonly #maxBufferedBytes: number

  constructor(scheduler: FlushScheduler, sink: Sink, maxBufferedBytes: number) {
    this.#scheduler = scheduler
    this.#sink = sink
    this.#maxBufferedBytes = maxBufferedBytes
  }

  push(frame: Frame): void {
    if (this.#state === 'ended') return
    const pending = this.#pending
    this.#pending = (pending ?? this.#scheduler.start).append(frame)
    if (this.#state === 'full') {
      if (this.#pending.byteLength > this.#maxBufferedBytes) this.#overflow()
    } else if (!pending) {
      this.#scheduler.add(this)
    }
  }

  /** Writes what is pending, unless the sink is full. */
  flush(): void {
    if (this.#state === 'open') this.#write()
  }

  /** The sink has room again. */
  drained(): void {
    if (this.#state !== 'full') return
    this.#state = 'open'
    this.#write()
  }

  /** Writes what is pending even if the sink is full, and takes no more frames. Idempotent. */
  end(): void {
    if (this.#state === 'ended') return
    this.#write()
    this.#state = 'ended'
  }

  /** Forgets what is pending and takes no more frames: the sink is gone. Idempotent. */
  abandon(): void {
    this.#pending = undefined
    this.#state = 'ended'
  }

  #write(): void {
    const pending = this.#pending
    if (!pending) return
    this.#pending = undefined
    if (!this.#sink.write(pending.bytes())) this.#state = 'full'
  }

  #overflow(): void {
    this.abandon()
    this.#sink.overflow()
  }
}
