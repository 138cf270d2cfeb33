import type { Socket } from 'node:net'
import { FusewireError } from '@fusewire/protocol'
import { type Dialect, recognise } from './first-bytes.ts'
import { refuse } from './refuse.ts'
import { readBy, type StreamReader } from './stream-reader.ts'

const NOTHING: Buffer = Buffer.alloc(0)

type HandOver = (socket: Socket, dialect: Dialect, bytes: Buffer) => void

/**
 * Waits until a cleartext client has said what it speaks, and gives the socket on with the bytes that have come, in the event that has
 * brought the last of them: the socket flows, and its reader, who is left to whoever takes it, does nothing more. A client that does not
 * say it in time, or leaves before, is refused here: in silence when it sent nothing, by HTTP/1.1 when it sent a part.
 */
export const readFirstBytes = (socket: Socket, timeoutMs: number, handOver: HandOver): void =>
  // Not "readable", whose listeners cost a connection as much as the whole rest of telling what it speaks.
  readBy(socket, new FirstBytes(socket, timeoutMs, handOver))

class FirstBytes implements StreamReader {
  readonly #socket: Socket
  readonly #handOver: HandOver
  /** Absent when all is done. */
  #deadline: NodeJS.Timeout | undefined
  #seen = NOTHING

  constructor(socket: Socket, timeoutMs: number, handOver: HandOver) {
    this.#socket = socket
    this.#handOver = handOver
    this.#deadline = setTimeout(giveUpLate, timeoutMs, this)
  }

  read(chunk: Buffer): void {
    if (!this.#deadline) return
    this.#seen = this.#seen.length === 0 ? chunk : Buffer.concat([this.#seen, chunk])
    const dialect = recognise(this.#seen)
    if (!dialect) return
    this.#done()
    this.#handOver(this.#socket, dialect, this.#seen)
  }

  end(): void {
    this.giveUp('malformed_request')
  }

  closed(): void {
    this.#done()
  }

  giveUp(code: 'malformed_request' | 'request_timeout'): void {
    if (!this.#deadline) return
    this.#done()
    if (this.#seen.length === 0) this.#socket.destroy()
    else refuse(this.#socket, new FusewireError(code))
  }

  #done(): void {
    clearTimeout(this.#deadline)
    this.#deadline = undefined
  }
}

const giveUpLate = (waiting: FirstBytes): void => waiting.giveUp('request_timeout')
