import { randomBytes } from 'node:crypto'

/** Opcodes of RFC 6455 section 5.2. */
export const OPCODE = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const

export interface Frame {
  readonly opcode: number
  readonly payload: Buffer
  /** Default true. */
  readonly fin?: boolean
  /** RSV1 to RSV3 as a number from 0 to 7. Default 0. */
  readonly rsv?: number
}

/** Writes a frame as a client has to, or, with `masked` false, as it must not. */
export const encodeFrame = ({ opcode, payload, fin = true, rsv = 0 }: Frame, masked = true): Buffer => {
  const { length } = payload
  const size = length < 126 ? 0 : length < 65_536 ? 2 : 8
  const head = Buffer.alloc(2 + size)
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  head[1] = (masked ? 0x80 : 0) | (size === 0 ? length : size === 2 ? 126 : 127)
  if (size === 2) head.writeUInt16BE(length, 2)
  if (size === 8) head.writeBigUInt64BE(BigInt(length), 2)
  if (!masked) return Buffer.concat([head, payload])
  const mask = randomBytes(4)
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ (mask[index & 3] ?? 0))])
}

/** The payload of a close frame. */
export const closePayload = (code: number, reason = ''): Buffer => {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason))
  payload.writeUInt16BE(code)
  payload.write(reason, 2)
  return payload
}

/** Reads the first frame that a server has sent, and says how many bytes it took; undefined while it is not whole. */
export const decodeFrame = (bytes: Buffer): { frame: Required<Frame>; byteLength: number } | undefined => {
  const [first = 0, second = 0] = bytes
  if (bytes.length < 2) return undefined
  if (second & 0x80) throw new Error('a server must not mask its frames')
  const size = second < 126 ? 0 : second === 126 ? 2 : 8
  const start = 2 + size
  if (bytes.length < start) return undefined
  const length = size === 0 ? second : size === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  const byteLength = start + length
  if (bytes.length < byteLength) return undefined
  const payload = bytes.subarray(start, byteLength)
  return { frame: { fin: (first & 0x80) !== 0, rsv: (first >> 4) & 7, opcode: first & 0xf, payload }, byteLength }
}
