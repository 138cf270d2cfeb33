import type { Codec } from '@fusewire/protocol'

/** Reads the holder's own value, because a Node Buffer has turned itself into an object before the replacer sees it. */
function bytesAsBase64(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const held = this[key]
  return held instanceof Uint8Array ? btoa(Array.from(held, (byte) => String.fromCharCode(byte)).join('')) : value
}

/**
 * Writes and reads what the protocol's `jsonCodec` does, without its error classes, which would be a fifth of this package: what
 * cannot be written or read throws an error of the platform.
 */
export const json: Codec = {
  name: 'json',
  frame: 'text',
  encode: (message) => JSON.stringify(message, bytesAsBase64),
  join: (payloads) => payloads.join('\n'),
  decode: (payload) =>
    String(payload)
      .split('\n')
      .filter((line) => line.trim())
      .map((line) => JSON.parse(line)),
}
