import type { BrokerListener, PublicationDraft } from '@fusewire/engine'
import type { ChannelKeys } from './channel-keys.ts'
import type { ChannelMessage } from './channel-message.ts'
import { decodeDraft } from './draft-code.ts'

/** How long an answer waits for what was published before it, which comes over another connection, in milliseconds. */
const HEAR_MS = 1_000

interface Waiter {
  readonly epoch: string
  readonly offset: number
  readonly resolve: () => void
}

/**
 * A channel that this node listens to: hands on each publication once, in order, and tells where some may be missing.
 *
 * Commands and channels are two connections, so the answer to a publication may come before or after it is heard. Where it is the next
 * one, it is handed on at once, and dropped when it is heard; where others of other nodes come before it, the answer waits for those.
 */
export class ChannelInterest {
  readonly channel: string
  readonly keys: ChannelKeys
  /** When the document ends, by `performance.now()`; 0 when there is none. */
  documentEndsAt = 0
  readonly #listener: BrokerListener
  #epoch = ''
  #offset = 0
  #waiters: Waiter[] = []

  constructor(channel: string, keys: ChannelKeys, listener: BrokerListener) {
    this.channel = channel
    this.keys = keys
    this.#listener = listener
  }

  /** Something was heard. */
  hear(message: Extract<ChannelMessage, { kind: 'publications' | 'epoch' }>): void {
    const { epoch, offset } = message
    if (message.kind === 'epoch') {
      if (epoch !== this.#epoch) this.#interrupt(epoch, offset)
      return
    }
    // A call is one step: whoever has had its first publication has had all.
    if (epoch === this.#epoch && offset <= this.#offset) return
    if (this.#epoch !== '' && (epoch !== this.#epoch || offset !== this.#offset + 1)) this.#interrupt(epoch, offset - 1)
    this.#endsIn(message.documentEnd === 0 ? -1 : message.documentEnd - message.time)
    let next = offset
    for (const body of message.bodies()) {
      const draft = read(body)
      if (draft) this.#hand(epoch, next, { offset: next, ...draft, time: message.time })
      else this.#interrupt(epoch, next)
      next++
    }
  }

  /** This node's own publication has been answered. Undefined when it has been handed on, otherwise settles when it has been. */
  answered(epoch: string, offset: number, time: number, documentEnd: number, draft: PublicationDraft): Promise<void> | undefined {
    if (epoch === this.#epoch) {
      if (offset <= this.#offset) return undefined
      if (offset === this.#offset + 1) {
        this.#endsIn(documentEnd === 0 ? -1 : documentEnd - time)
        this.#hand(epoch, offset, { offset, ...draft, time })
        return undefined
      }
    }
    return new Promise((resolve) => {
      const waiter: Waiter = {
        epoch,
        offset,
        resolve: () => {
          clearTimeout(timer)
          resolve()
        },
      }
      // It does not come: whoever has it from the history has it.
      const timer = setTimeout(() => this.#interrupt(epoch, offset), HEAR_MS)
      this.#waiters.push(waiter)
    })
  }

  /**
   * The channel is here now, and whatever comes after that is heard. True when nothing is missing of what was before, and the listener
   * need not look.
   */
  found(epoch: string, offset: number, documentTtlMs: number): boolean {
    this.#endsIn(documentTtlMs)
    const isWhole = epoch === this.#epoch && offset <= this.#offset
    if (!isWhole) this.#stand(epoch, offset)
    return isWhole
  }

  /** Another epoch than the one that is known has begun, as an answer says. */
  learned(epoch: string, offset: number): void {
    if (this.#epoch !== '' && epoch !== this.#epoch) this.#interrupt(epoch, offset)
  }

  /** Nobody listens any more. */
  close(): void {
    for (const waiter of this.#waiters.splice(0)) waiter.resolve()
  }

  #hand(epoch: string, offset: number, publication: Parameters<BrokerListener['publication']>[1]): void {
    this.#epoch = epoch
    this.#offset = offset
    this.#listener.publication(this.channel, publication, epoch)
    if (this.#waiters.length > 0) this.#release()
  }

  #interrupt(epoch: string, offset: number): void {
    this.#stand(epoch, offset)
    this.#listener.interrupted(this.channel)
  }

  #stand(epoch: string, offset: number): void {
    if (epoch !== this.#epoch) this.documentEndsAt = 0
    this.#epoch = epoch
    this.#offset = offset
    this.#release()
  }

  /** Those whose publication has been handed on, or is of an epoch that is gone. */
  #release(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) {
      if (waiter.epoch === this.#epoch && waiter.offset > this.#offset) this.#waiters.push(waiter)
      else waiter.resolve()
    }
  }

  #endsIn(ms: number): void {
    this.documentEndsAt = ms < 0 ? 0 : performance.now() + ms
  }
}

/** Undefined for what none of our nodes has written. */
const read = (body: string): PublicationDraft | undefined => {
  try {
    return decodeDraft(body)
  } catch {
    return undefined
  }
}
