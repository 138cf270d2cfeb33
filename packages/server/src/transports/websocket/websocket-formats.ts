import { constants, deflateRawSync } from 'node:zlib'
import type { Frame, FrameFormat, Multicast } from '@fusewire/engine'
import { type Codec, jsonCodec, type ServerMessage } from '@fusewire/protocol'
import { msgpackCodec } from '@fusewire/protocol/msgpack'
import { dataFrame, type FrameKind, OPCODE } from './data-frame.ts'

/** The formats of one codec: plain frames, and compressed ones for connections that negotiated permessage-deflate. */
export interface CodecFormats {
  readonly codec: Codec
  readonly plain: FrameFormat
  readonly deflated: FrameFormat
}

export interface WebSocketFormats {
  readonly json: CodecFormats
  readonly msgpack: CodecFormats
}

/** Made once for all connections, because connections share frames by sharing the format object. */
export const createWebSocketFormats = (multicast: Multicast, compressionThresholdBytes: number): WebSocketFormats => ({
  json: createCodecFormats(jsonCodec, multicast, compressionThresholdBytes),
  msgpack: createCodecFormats(msgpackCodec, multicast, compressionThresholdBytes),
})

const createCodecFormats = (codec: Codec, multicast: Multicast, compressionThresholdBytes: number): CodecFormats => {
  const plain = new PlainFormat(codec, multicast)
  return { codec, plain, deflated: new DeflatedFormat(plain, compressionThresholdBytes) }
}

/** One message, one frame. Remembers the last one, which a publication asks for twice: for the plain and the deflated format. */
class PlainFormat implements FrameFormat {
  readonly name: string
  readonly multicast: Multicast
  readonly opcode: FrameKind['opcode']
  readonly #codec: Codec
  #lastMessage: ServerMessage | undefined
  #lastFrame: Buffer = Buffer.alloc(0)

  constructor(codec: Codec, multicast: Multicast) {
    this.name = `ws-${codec.name}`
    this.multicast = multicast
    this.opcode = codec.frame === 'text' ? OPCODE.text : OPCODE.binary
    this.#codec = codec
  }

  encode(message: ServerMessage): Buffer {
    if (message === this.#lastMessage) return this.#lastFrame
    const payload = this.#codec.encode(message)
    this.#lastFrame = typeof payload === 'string' ? this.#textFrame(payload) : this.#bytesFrame(payload)
    this.#lastMessage = message
    return this.#lastFrame
  }

  #textFrame(text: string): Buffer {
    const length = Buffer.byteLength(text)
    const frame = dataFrame(this, length)
    frame.write(text, frame.length - length)
    return frame
  }

  #bytesFrame(bytes: Uint8Array): Buffer {
    const frame = dataFrame(this, bytes.byteLength)
    frame.set(bytes, frame.length - bytes.byteLength)
    return frame
  }
}

/**
 * Level 3 takes a third of the time of the default level for 5% more bytes (JSON of 1 to 64 KB), and the event loop waits for it.
 * The flush ends the block instead of the stream.
 */
const DEFLATE_OPTIONS = { level: 3, finishFlush: constants.Z_SYNC_FLUSH } as const

/** What the flush ends with, and the frame leaves out (RFC 7692 section 7.2.1). */
const TAIL_LENGTH = 4

/**
 * Compresses a message once for all connections, each without context takeover. A message that is small, or does not become
 * smaller, goes out as the very frame of the plain format.
 */
class DeflatedFormat implements FrameFormat {
  readonly name: string
  readonly multicast: Multicast
  readonly #plain: PlainFormat
  readonly #thresholdBytes: number

  constructor(plain: PlainFormat, thresholdBytes: number) {
    this.name = `${plain.name}-deflate`
    this.multicast = plain.multicast
    this.#plain = plain
    this.#thresholdBytes = thresholdBytes
  }

  encode(message: ServerMessage): Frame {
    const frame = this.#plain.encode(message)
    if (frame.length < this.#thresholdBytes) return frame
    const payload = payloadOf(frame)
    if (payload.length < this.#thresholdBytes) return frame
    const deflated = deflateRawSync(payload, DEFLATE_OPTIONS)
    const length = deflated.length - TAIL_LENGTH
    if (length >= payload.length) return frame
    const deflatedFrame = dataFrame({ opcode: this.#plain.opcode, compressed: true }, length)
    deflated.copy(deflatedFrame, deflatedFrame.length - length, 0, length)
    return deflatedFrame
  }
}

const payloadOf = (frame: Buffer): Buffer => {
  const length = frame[1] ?? 0
  return frame.subarray(length < 126 ? 2 : length === 126 ? 4 : 10)
}
