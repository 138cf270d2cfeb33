import { isUtf8 } from 'node:buffer'
import { OPCODE } from './data-frame.ts'

/** A frame of a client that needs nothing of what came before it. */
export interface PlainFrame {
  readonly kind: 'text' | 'binary' | 'pong'
  /** Where its payload begins. */
  readonly start: number
  /** Where its payload ends and the next frame begins. */
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
 * Reads a frame (RFC 6455 section 5.2) that begins at `at`, and takes its mask off in place. Undefined for everything that is not as
 * plain as can be: not whole, a fragment, compressed, a ping or close, too large, or wrong in any way. Then nothing has been changed.
 */
export const readPlainFrame = (bytes: Buffer, at: number, maxPayloadBytes: number): PlainFrame | undefined => {
  const kind = kindOf(bytes[at])
  const second = bytes[at + 1]
  if (!kind || second === undefined || second < MASKED) return undefined
  let length = second - MASKED
  let maskAt = at + 2
  if (length === LENGTH_IN_64_BITS) return undefined
  if (length === LENGTH_IN_16_BITS) {
    if (kind === 'pong' || maskAt + 2 > bytes.length) return undefined
    length = bytes.readUInt16BE(maskAt)
    maskAt += 2
  }
  const start = maskAt + MASK_BYTES
  const end = start + length
  if (end > bytes.length || length > maxPayloadBytes) return undefined
  const mask = bytes.readUInt32BE(maskAt)
  const isAscii = applyMask(bytes, start, end, mask)
  if (kind === 'text' && !isAscii && !isUtf8(bytes.subarray(start, end))) {
    applyMask(bytes, start, end, mask)
    return undefined
  }
  return { kind, start, end }
}

/** Puts it on as well as it takes it off. Answers whether every byte is ASCII now. */
const applyMask = (bytes: Buffer, start: number, end: number, mask: number): boolean => {
  let all = 0
  for (let i = start; i < end; i++) {
    const byte = (bytes[i] ?? 0) ^ ((mask >>> (24 - 8 * ((i - start) & 3))) & 0xff)
    bytes[i] = byte
    all |= byte
  }
  return all < 0x80
}
