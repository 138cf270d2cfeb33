import type { Socket } from 'node:net'
import type { Random } from '../random.ts'
import type { Conditions } from './conditions.ts'
import { concerns, type Direction, type Fault, type FaultKind } from './fault.ts'
import { nextWrite } from './next-write.ts'

/** What may wait in a lane before its sender is made to wait, as a network's own buffers do. */
const MAX_WAITING_BYTES = 65_536

/** Bytes, or the end of them. */
interface Piece {
  bytes: Buffer
  readonly leaveAt: number
  readonly isEnd: boolean
}

export interface LaneContext {
  readonly conditions: Conditions
  readonly random: Random
  /** A fault has had its effect. */
  readonly happened: (kind: FaultKind) => void
  /** The bytes that `truncate` lets through have passed. */
  readonly truncated: () => void
}

/** One direction of a connection: bytes leave in the order in which they came, whatever befalls them. */
export class Lane {
  readonly #direction: Direction
  readonly #from: Socket
  readonly #to: Socket
  readonly #context: LaneContext
  readonly #waiting: Piece[] = []
  #waitingBytes = 0
  #leaveAt = 0
  #freeAt = 0
  /** `swallowing` and `ended`: what comes is lost, the end included; the other side is told nothing, or has been told that this is all. */
  #fate: 'passing' | 'swallowing' | 'ended' = 'passing'
  /** Bytes until the one that is changed, or the last that passes. */
  #corruptAfter: number | undefined
  #truncateAfter: number | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #turn: ReturnType<typeof setImmediate> | undefined

  constructor(direction: Direction, from: Socket, to: Socket, context: LaneContext) {
    this.#direction = direction
    this.#from = from
    this.#to = to
    this.#context = context
    from.on('data', (bytes: Buffer) => this.#take(bytes))
    from.on('end', () => this.#queue(Buffer.alloc(0), true))
    to.on('drain', () => this.pump())
  }

  /** Nothing that its sender does is heard at the other end. */
  get isSilent(): boolean {
    return this.#fate !== 'passing'
  }

  strike(fault: Extract<Fault, { readonly direction: Direction | 'both' }>): void {
    if (!concerns(fault, this.#direction)) return
    if (fault.kind === 'corrupt') this.#corruptAfter = fault.afterBytes
    else if (fault.kind === 'truncate') this.#truncateAfter = fault.afterBytes
    else if (fault.kind === 'half-open') {
      if (this.#waiting.length > 0) this.#context.happened('half-open')
      this.#drop('swallowing')
    }
  }

  /** Loses what waits, and all that follows. */
  end(): void {
    this.#drop('ended')
  }

  /** Lets go what may go. */
  pump(): void {
    this.#rest()
    for (let head = this.#waiting[0]; head && !this.#to.destroyed && !this.#to.writableNeedDrain; head = this.#waiting[0]) {
      const waiting = { bytes: head.bytes.length, leaveAt: head.leaveAt, freeAt: this.#freeAt }
      const next = nextWrite(waiting, this.#direction, this.#context.conditions, performance.now())
      if (next.because) this.#context.happened(next.because)
      if (next.do === 'wait') {
        if (next.until !== undefined) this.#timer = setTimeout(() => this.pump(), Math.max(1, next.until - performance.now()))
        break
      }
      this.#freeAt = next.freeAt
      this.#write(head, next.bytes)
      if (next.apart) {
        this.#turn = setImmediate(() => this.pump())
        break
      }
    }
    if (this.#waitingBytes < MAX_WAITING_BYTES) this.#from.resume()
  }

  #drop(fate: 'swallowing' | 'ended'): void {
    this.#fate = fate
    this.#waiting.length = 0
    this.#waitingBytes = 0
    this.#rest()
    this.#from.resume()
  }

  #write(head: Piece, size: number): void {
    if (head.isEnd) this.#to.end()
    else this.#to.write(head.bytes.subarray(0, size))
    head.bytes = head.bytes.subarray(size)
    this.#waitingBytes -= size
    if (head.bytes.length === 0) this.#waiting.shift()
  }

  #take(bytes: Buffer): void {
    if (this.#fate === 'swallowing') this.#context.happened('half-open')
    if (this.#fate !== 'passing') return
    if (this.#truncateAfter === undefined) this.#queue(this.#corrupted(bytes))
    else if (bytes.length < this.#truncateAfter) {
      this.#truncateAfter -= bytes.length
      this.#queue(bytes)
    } else {
      this.#to.write(Buffer.concat([...this.#waiting.map((piece) => piece.bytes), bytes.subarray(0, this.#truncateAfter)]))
      this.#context.happened('truncate')
      this.#context.truncated()
    }
  }

  #corrupted(bytes: Buffer): Buffer {
    if (this.#corruptAfter === undefined) return bytes
    const at = this.#corruptAfter
    this.#corruptAfter = at < bytes.length ? undefined : at - bytes.length
    if (at >= bytes.length) return bytes
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ (1 << this.#context.random.integer(0, 7))
    this.#context.happened('corrupt')
    return changed
  }

  #queue(bytes: Buffer, isEnd = false): void {
    if (this.#fate !== 'passing') return
    const { conditions, random } = this.#context
    const [delay, jitter] = [conditions.get('delay'), conditions.get('jitter')]
    if (delay) this.#context.happened('delay')
    if (jitter) this.#context.happened('jitter')
    const late = (delay?.delayMs ?? 0) + (jitter ? random.integer(0, jitter.maxDelayMs) : 0)
    this.#leaveAt = Math.max(this.#leaveAt, performance.now() + late)
    this.#waiting.push({ bytes, leaveAt: this.#leaveAt, isEnd })
    this.#waitingBytes += bytes.length
    this.pump()
    if (this.#waitingBytes >= MAX_WAITING_BYTES || this.#to.writableNeedDrain) this.#from.pause()
  }

  #rest(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#turn)
  }
}
