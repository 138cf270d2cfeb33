/**
 * A data frame as clients send it: text, or binary for bytes. It is masked with zeros: RFC 6455 section 5.3 asks for a mask, not for
 * a good one in a benchmark.
 */
export const clientFrame = (message: string | Uint8Array): Buffer => {
  const payload = Buffer.from(message as string)
  const first = typeof message === 'string' ? 0x81 : 0x82
  return Buffer.concat([Buffer.from([first, ...maskedLength(payload.length)]), Buffer.alloc(4), payload])
}

const maskedLength = (length: number): number[] => {
  if (length < 126) return [0x80 | length]
  if (length < 65_536) return [0x80 | 126, length >> 8, length & 0xff]
  return [0x80 | 127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff]
}

/** An empty pong, masked. */
export const PONG_FRAME: Buffer = Buffer.from([0x8a, 0x80, 0, 0, 0, 0])
