import { isUtf8 } from 'node:buffer'
import { OPCODE } from './data-frame.ts'

/** A frame of a client that needs nothing of what came before it. */
export interface PlainFrame {
  readonly kind: 'text' | 'binary' | 'pong'
  readonly payload: Buffer
  /** Where the next one begins. */
  readonly end: number
}

const FIN = 0x80
const MASKED = 0x80
const MASK_BYTES = 4
/** Lengths from here on say where the length is instead. */
const LENGTH_IN_16_BITS = 126
const LENGTH_IN_64_BITS = 127

const kindOf = (firstByte: number | undefined): PlainFrame['kind'] | undefined => {
  if (firstByte === (FIN | OPCODE.text)) return 'text'
  if (firstByte === (FIN | OPCODE.binary)) return 'binary'
  return firstByte === (FIN | OPCODE.pong) ? 'pong' : undefined
}

/**
 * Reads a frame (RFC 6455 section 5.2) that begins at `start`, and takes its mask off in place. Undefined for everything that is not as
 * plain as can be: not whole, a fragment, compressed, a ping or close, too large, or wrong in any way. Then nothing has been changed.
 */
export const readPlainFrame = (bytes: Buffer, start: number, maxPayloadBytes: number): PlainFrame | undefined => {
  const kind = kindOf(bytes[start])
  const second = bytes[start + 1]
  if (!kind || second === undefined || second < MASKED) return undefined
  let length = second - MASKED
  let maskAt = start + 2
  if (length === LENGTH_IN_64_BITS) return undefined
  if (length === LENGTH_IN_16_BITS) {
    if (kind === 'pong' || maskAt + 2 > bytes.length) return undefined
    length = bytes.readUInt16BE(maskAt)
    maskAt += 2
  }
  const payloadAt = maskAt + MASK_BYTES
  const end = payloadAt + length
  if (end > bytes.length || length > maxPayloadBytes) return undefined
  const payload = bytes.subarray(payloadAt, end)
  const mask = bytes.readUInt32BE(maskAt)
  applyMask(payload, mask)
  if (kind === 'text' && !isUtf8(payload)) {
    applyMask(payload, mask)
    return undefined
  }
  return { kind, payload, end }
}

/** Puts it on as well as it takes it off. */
const applyMask = (payload: Buffer, mask: number): void => {
  if (mask === 0) return
  for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] ?? 0) ^ (mask >>> (24 - 8 * (i & 3)))
}
