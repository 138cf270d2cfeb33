import type { Codec } from '@fusewire/protocol'

/** Reads the holder's own value, because a Node Buffer has turned itself into an object before the replacer sees it. */
function bytesAsBase64(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const held = this[key]
  return held instanceof Uint8Array ? btoa(Array.from(held, (byte) => String.fromCharCode(byte)).join('')) : value
}

/** As much of a codec as the client uses, which joins nothing: each message has a frame, or a line, of its own. */
export type WireCodec = Pick<Codec, 'name' | 'encode' | 'decode'>

/**
 * Writes and reads what the protocol's `jsonCodec` does, without its error classes, which would be a fifth of this package: what
 * cannot be written or read throws an error of the platform.
 */
export const json: WireCodec = {
  name: 'json',
  encode: (message) => JSON.stringify(message, bytesAsBase64),
  decode: (payload) =>
    String(payload)
      .split('\n')
      .filter((line) => line.trim())
      .map((line) => JSON.parse(line)),
}
