import type { Socket } from 'node:net'
import { type Address, openSocket, type SocketOptions } from './open-socket.ts'

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const TYPE = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const
const END_STREAM = 0x1
const END_HEADERS = 0x4
const ACK = 0x1
const HEADER_LENGTH = 9
const INITIAL_WINDOW = 65_535
/** Of a frame that a server takes unless it says otherwise (RFC 9113 section 4.2). */
const MAX_FRAME_SIZE = 16_384
const LARGEST_WINDOW = 2 ** 31 - 1
/** After so many streams their Map is replaced: V8 keeps alive what has been in one for long, and the load would stop to collect it. */
const STREAMS_IN_MAP = 64
/** The indexed field `:status: 200` of HPACK's static table (RFC 7541 appendix A). */
const STATUS_200 = 0x88

export interface Http2Options extends SocketOptions {
  /** Room that the server has for each stream, and for all together; more than 65,535 bytes. Default 2^31-1, the most there is. */
  readonly windowBytes?: number
}

/** What comes on one stream. */
export interface StreamEvents {
  /** The status of the answer: 200 or not. */
  readonly onHeaders?: (isOk: boolean) => void
  readonly onData?: (chunk: Buffer) => void
  /** With an error where the connection was closed before the stream had ended. */
  readonly onEnd?: (error?: Error) => void
}

interface Incoming extends StreamEvents {
  /** What has come since room was last given back. */
  received: number
}

const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
  const header = Buffer.alloc(HEADER_LENGTH)
  header.writeUIntBE(payload.length, 0, 3)
  header[3] = type
  header[4] = flags
  header.writeUInt32BE(stream, 5)
  return Buffer.concat([header, payload])
}

/** As many frames as a body needs, the last with the flags. */
const dataFrames = (stream: number, body: Buffer, flags: number): Buffer[] => {
  const frames: Buffer[] = []
  for (let at = 0; at === 0 || at < body.length; at += MAX_FRAME_SIZE) {
    const end = at + MAX_FRAME_SIZE
    frames.push(frame(TYPE.data, end < body.length ? 0 : flags, stream, body.subarray(at, end)))
  }
  return frames
}

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A length of HPACK with a prefix of seven bits (RFC 7541 section 5.1). */
const stringLength = (length: number): number[] => {
  if (length < 127) return [length]
  const bytes = [127]
  let rest = length - 127
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(128 + (rest % 128))
  return [...bytes, rest]
}

/** A header block of literals that enter no table (RFC 7541 section 6.2.2), so that neither side keeps a state for it. */
export const headerBlock = (headers: Readonly<Record<string, string>>): Buffer =>
  Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [
      Buffer.from([0, ...stringLength(name.length)]),
      Buffer.from(name),
      Buffer.from(stringLength(Buffer.byteLength(value))),
      Buffer.from(value),
    ]),
  )

/**
 * A client of HTTP/2 (RFC 9113) that does as little as a client may: it decodes no headers but whether the status is 200, and gives
 * the server the largest windows there are, unless asked for smaller ones.
 */
export class Http2Connection {
  readonly socket: Socket
  #streams = new Map<number, Incoming>()
  /** Room is given back once half of the window may be used up. */
  readonly #refill: number
  #onReady: () => void = () => {}
  #nextStream = 1
  #rest: Buffer | undefined
  #received = 0
  /** What the server still takes of all bodies together (RFC 9113 section 5.2), and requests that wait for more. */
  #room = INITIAL_WINDOW
  #waiting: { readonly bytes: Buffer; readonly bodyLength: number }[] = []

  private constructor(socket: Socket, windowBytes: number) {
    this.socket = socket
    this.#refill = windowBytes / 2
  }

  /** Connects and waits until the server has said what it takes. */
  static async open(address: Address, options: Http2Options = {}): Promise<Http2Connection> {
    const { windowBytes = LARGEST_WINDOW } = options
    const socket = await openSocket(address, { ...options, alpn: 'h2' })
    const connection = new Http2Connection(socket, windowBytes)
    // No pushes (2), the windows of streams (4).
    const settings = Buffer.concat([Buffer.from([0, 2]), uint32(0), Buffer.from([0, 4]), uint32(windowBytes)])
    socket.write(
      Buffer.concat([
        Buffer.from(PREFACE),
        frame(TYPE.settings, 0, 0, settings),
        frame(TYPE.windowUpdate, 0, 0, uint32(windowBytes - INITIAL_WINDOW)),
      ]),
    )
    socket.on('data', (chunk: Buffer) => connection.#receive(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => connection.#lose())
    await new Promise<void>((resolve, reject) => {
      connection.#onReady = resolve
      socket.once('close', () => reject(new Error('the server has closed the connection')))
    })
    return connection
  }

  /** Opens a stream; with a body, or with none, it is a whole request. With `isOpen` more may be written. Throws once it is closed. */
  request(headers: Readonly<Record<string, string>>, events: StreamEvents, body?: Buffer, isOpen = false): Http2Stream {
    if (this.socket.closed) throw new Error('the connection is closed')
    const id = this.#nextStream
    this.#nextStream += 2
    if ((id - 1) % (2 * STREAMS_IN_MAP) === 0) this.#streams = new Map(this.#streams)
    this.#streams.set(id, { ...events, received: 0 })
    const isWhole = body === undefined && !isOpen
    const head = frame(TYPE.headers, END_HEADERS | (isWhole ? END_STREAM : 0), id, headerBlock(headers))
    const bytes = body === undefined ? head : Buffer.concat([head, ...dataFrames(id, body, isOpen ? 0 : END_STREAM)])
    this.#waiting.push({ bytes, bodyLength: body?.length ?? 0 })
    this.#writeWaiting()
    return {
      write: (bytes) => {
        this.#room -= bytes.length
        this.socket.write(frame(TYPE.data, 0, id, bytes))
      },
      end: () => void this.socket.write(frame(TYPE.data, END_STREAM, id, Buffer.alloc(0))),
    }
  }

  destroy(): void {
    this.socket.destroy()
  }

  #lose(): void {
    const error = new Error('the connection was closed before the stream had ended')
    for (const stream of this.#streams.values()) stream.onEnd?.(error)
    this.#streams.clear()
  }

  /** In order, as far as there is room. A body that is larger than all of it goes alone. */
  #writeWaiting(): void {
    const fits = (length: number): boolean => this.#room >= Math.min(length, INITIAL_WINDOW)
    for (let next = this.#waiting[0]; next && fits(next.bodyLength); next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#room -= next.bodyLength
      this.socket.write(next.bytes)
    }
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (bytes.length - at >= HEADER_LENGTH) {
      const end = at + HEADER_LENGTH + bytes.readUIntBE(at, 3)
      if (bytes.length < end) break
      const stream = bytes.readUInt32BE(at + 5) & LARGEST_WINDOW
      this.#handle(bytes[at + 3] as number, bytes[at + 4] as number, stream, bytes.subarray(at + HEADER_LENGTH, end))
      at = end
    }
    this.#rest = at < bytes.length ? bytes.subarray(at) : undefined
  }

  #handle(type: number, flags: number, id: number, payload: Buffer): void {
    const stream = this.#streams.get(id)
    if (type === TYPE.data) {
      this.#giveRoom(id, payload.length, stream)
      if (payload.length > 0) stream?.onData?.(payload)
    } else if (type === TYPE.windowUpdate && id === 0) {
      this.#room += payload.readUInt32BE(0)
      this.#writeWaiting()
    } else if (type === TYPE.headers) stream?.onHeaders?.(payload[0] === STATUS_200)
    else if (type === TYPE.settings && (flags & ACK) === 0) {
      this.socket.write(frame(TYPE.settings, ACK, 0, Buffer.alloc(0)))
      this.#onReady()
    } else if (type === TYPE.ping && (flags & ACK) === 0) this.socket.write(frame(TYPE.ping, ACK, 0, payload))
    const isEnd = type === TYPE.reset || ((type === TYPE.data || type === TYPE.headers) && (flags & END_STREAM) !== 0)
    if (!isEnd) return
    this.#streams.delete(id)
    stream?.onEnd?.()
  }

  #giveRoom(id: number, length: number, stream: Incoming | undefined): void {
    this.#received += length
    if (this.#received > this.#refill) {
      this.socket.write(frame(TYPE.windowUpdate, 0, 0, uint32(this.#received)))
      this.#received = 0
    }
    if (!stream) return
    stream.received += length
    if (stream.received <= this.#refill) return
    this.socket.write(frame(TYPE.windowUpdate, 0, id, uint32(stream.received)))
    stream.received = 0
  }
}

/** What a client can do with its half of a stream. */
export interface Http2Stream {
  write(bytes: Buffer): void
  end(): void
}
