/** Opcodes of RFC 6455 section 5.2. */
export const OPCODE = { text: 0x1, binary: 0x2, ping: 0x9, pong: 0xa } as const

export interface FrameKind {
  readonly opcode: typeof OPCODE.text | typeof OPCODE.binary
  /** The payload is compressed (RSV1, RFC 7692 section 6). */
  readonly compressed?: boolean
}

const FIN = 0x80
const RSV1 = 0x40

const headerLength = (payloadLength: number): number => (payloadLength < 126 ? 2 : payloadLength < 65_536 ? 4 : 10)

/**
 * A data frame of a server (RFC 6455 section 5.2), which is not masked. Its last `payloadLength` bytes are for the caller to write, so
 * that the payload is copied nowhere else.
 */
export const dataFrame = ({ opcode, compressed = false }: FrameKind, payloadLength: number): Buffer => {
  const start = headerLength(payloadLength)
  const frame = Buffer.allocUnsafe(start + payloadLength)
  frame[0] = FIN | (compressed ? RSV1 : 0) | opcode
  if (start === 2) {
    frame[1] = payloadLength
  } else if (start === 4) {
    frame[1] = 126
    frame.writeUInt16BE(payloadLength, 2)
  } else {
    frame[1] = 127
    frame.writeUInt32BE(Math.floor(payloadLength / 2 ** 32), 2)
    frame.writeUInt32BE(payloadLength % 2 ** 32, 6)
  }
  return frame
}
