import type { Duplex } from 'node:stream'
import { LIMITS } from '@fusewire/protocol'
import { decodeMsgpack, encodeMsgpack } from '@fusewire/protocol/msgpack'

/** Bytes of the length in front of each message. */
const HEAD_BYTES = 4

/** A name, and what belongs to it. */
export type Message = readonly [name: string, ...values: unknown[]]

/** A message with its length, for every socket that it goes to. */
export const encodeFrame = (message: Message): Uint8Array => {
  const body = encodeMsgpack(message)
  const frame = Buffer.allocUnsafe(HEAD_BYTES + body.length)
  frame.writeUInt32BE(body.length)
  frame.set(body, HEAD_BYTES)
  return frame
}

/** `ended`: by either side. `unread`: more than may has waited for the other side to read it. */
export type CloseReason = 'ended' | 'unread'

export interface FrameSocketEvents {
  message(message: Message): void
  /** Once. */
  closed(reason: CloseReason): void
}

export interface FrameSocketOptions {
  /** What may wait for the other side to read it, in bytes; beyond that the socket is closed. */
  readonly maxUnreadBytes: number
}

/**
 * Messages between two processes of one server, over a stream: MessagePack, each behind its length in four bytes. What is sent within
 * a turn of the event loop leaves in one write.
 */
export class FrameSocket {
  readonly #socket: Duplex
  readonly #events: FrameSocketEvents
  readonly #maxUnreadBytes: number
  /** What this turn sends. */
  #leaving: Uint8Array[] = []
  #leavingBytes = 0
  /** What has come of the next message. */
  #parts: Buffer[] = []
  #partsBytes = 0
  #neededBytes = HEAD_BYTES
  #isClosed = false

  constructor(socket: Duplex, events: FrameSocketEvents, { maxUnreadBytes }: FrameSocketOptions) {
    this.#socket = socket
    this.#events = events
    this.#maxUnreadBytes = maxUnreadBytes
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    // The reason is the end of the other process, or this one's; `close` follows.
    socket.on('error', () => {})
    socket.on('end', () => this.close())
    socket.on('close', () => this.close())
  }

  /** What the other side has not read yet, in bytes. */
  get unreadBytes(): number {
    return this.#leavingBytes + this.#socket.writableLength
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  send(...message: Message): void {
    this.sendFrame(encodeFrame(message))
  }

  /** A single frame may be of any size: what counts is how much waits before it. */
  sendFrame(frame: Uint8Array): void {
    if (this.#isClosed) return
    if (this.unreadBytes > this.#maxUnreadBytes) {
      this.#close('unread')
      return
    }
    this.#leavingBytes += frame.length
    if (this.#leaving.push(frame) === 1) setImmediate(this.#flush)
  }

  /** Ends at once; what has been sent before this turn may still arrive. Idempotent. */
  close(): void {
    this.#close('ended')
  }

  #close(reason: CloseReason): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#socket.destroy()
    this.#events.closed(reason)
  }

  readonly #flush = (): void => {
    const frames = this.#leaving
    this.#leaving = []
    this.#leavingBytes = 0
    if (this.#isClosed) return
    const [first] = frames
    if (first) this.#socket.write(frames.length === 1 ? first : Buffer.concat(frames))
  }

  #receive(chunk: Buffer): void {
    this.#parts.push(chunk)
    this.#partsBytes += chunk.length
    if (this.#partsBytes < this.#neededBytes) return
    const bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts)
    let at = 0
    while (bytes.length - at >= HEAD_BYTES && !this.#isClosed) {
      const from = at + HEAD_BYTES
      const end = from + bytes.readUInt32BE(at)
      if (end > bytes.length) break
      at = end
      this.#events.message(decodeMsgpack(bytes.subarray(from, end), LIMITS.depth)[0] as Message)
    }
    const rest = bytes.subarray(at)
    this.#parts = rest.length > 0 ? [rest] : []
    this.#partsBytes = rest.length
    this.#neededBytes = rest.length < HEAD_BYTES ? HEAD_BYTES : HEAD_BYTES + rest.readUInt32BE(0)
  }
}
