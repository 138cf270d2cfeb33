export interface ClientFrameHead {
  readonly opcode: number
  /** Default true. */
  readonly isFinal?: boolean
  /** RSV1 to RSV3, in their places. Default none. */
  readonly reserved?: number
  /** Default 0, which leaves the payload as it is. */
  readonly mask?: number
}

/** A frame as a client sends it (RFC 6455 section 5.2), right or wrong. */
export const clientFrame = (
  { opcode, isFinal = true, reserved = 0, mask = 0 }: ClientFrameHead,
  payload: string | Uint8Array,
): Buffer => {
  const body = Buffer.from(payload as Uint8Array)
  const first = (isFinal ? 0x80 : 0) | reserved | opcode
  const key = Buffer.alloc(4)
  key.writeUInt32BE(mask)
  for (const [index, byte] of body.entries()) body[index] = byte ^ (key[index % 4] ?? 0)
  return Buffer.concat([Buffer.from([first]), lengthOf(body.length), key, body])
}

const lengthOf = (length: number): Buffer => {
  if (length < 126) return Buffer.from([0x80 | length])
  if (length < 65_536) return Buffer.from([0x80 | 126, length >> 8, length & 0xff])
  const bytes = Buffer.alloc(9)
  bytes[0] = 0x80 | 127
  bytes.writeBigUInt64BE(BigInt(length), 1)
  return bytes
}
