import { MessageError } from '../decode.ts'
import type { Codec, Payload } from './codec.ts'
import { MsgpackDecoder } from './msgpack-decoder.ts'
import { MsgpackEncoder } from './msgpack-encoder.ts'

let idle: MsgpackEncoder | undefined

/** Gives the bytes of one value. */
export const encodeMsgpack = (value: unknown): Uint8Array => {
  // Taken while in use: a `toJSON` of the value may encode something itself.
  const encoder = idle ?? new MsgpackEncoder()
  idle = undefined
  const bytes = encoder.encode(value)
  idle = encoder
  return bytes
}

/** Reads the values that follow one another in `bytes`. */
export const decodeMsgpack = (bytes: Uint8Array, maxDepth: number): unknown[] => {
  const decoder = new MsgpackDecoder(bytes, maxDepth)
  const values: unknown[] = []
  while (!decoder.done) values.push(decoder.next())
  return values
}

const join = (payloads: readonly Payload[]): Uint8Array => {
  let length = 0
  for (const payload of payloads) length += payload.length
  const joined = new Uint8Array(length)
  let at = 0
  for (const payload of payloads as readonly Uint8Array[]) {
    joined.set(payload, at)
    at += payload.length
  }
  return joined
}

/** MessagePack values, one after another. */
export const msgpackCodec: Codec = {
  name: 'msgpack',
  frame: 'binary',
  encode: encodeMsgpack,
  join,
  decode: (payload, maxDepth) => {
    if (typeof payload === 'string') throw new MessageError('malformed_message', 'MessagePack comes as bytes')
    return decodeMsgpack(payload, maxDepth)
  },
}
