import { inflateRawSync } from 'node:zlib'
import type { FrameFormat } from '@fusewire/engine'
import { type ServerMessage, SUBPROTOCOL } from '@fusewire/protocol'
import { msgpackCodec } from '@fusewire/protocol/msgpack'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createWebSocketFormats } from './websocket-formats.ts'

const small: ServerMessage = { type: 'echo', data: 'é' }
const large: ServerMessage = { type: 'echo', data: 'abc'.repeat(1000) }
const MULTICAST = { send: () => undefined }

const formats = () => createWebSocketFormats(MULTICAST, 1024)

/** First byte and payload of a frame shorter than 64 KiB. */
const parse = (frame: Uint8Array) => {
  const length = frame[1] ?? 0
  return { first: frame[0], payload: Buffer.from(frame.subarray(length < 126 ? 2 : 4)) }
}

const inflate = (payload: Buffer): Buffer =>
  inflateRawSync(Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]), { finishFlush: 2 })

describe('WebSocket formats', () => {
  it(`are text frames of JSON for ${SUBPROTOCOL.json}, binary frames for ${SUBPROTOCOL.msgpack}`, () => {
    const { json, msgpack } = formats()
    expect(parse(json.plain.encode(small))).toEqual({ first: 0x81, payload: Buffer.from('{"type":"echo","data":"é"}') })
    expect(parse(msgpack.plain.encode(small))).toEqual({
      first: 0x82,
      payload: Buffer.from(msgpackCodec.encode(small) as Uint8Array),
    })
  })

  it('have stable names', () => {
    const { json, msgpack } = formats()
    const names = [json.plain, json.deflated, msgpack.plain, msgpack.deflated].map(({ name }) => name)
    expect(names).toEqual(['ws-json', 'ws-json-deflate', 'ws-msgpack', 'ws-msgpack-deflate'])
  })

  it('compress large messages with RSV1 and without the tail of the flush', () => {
    const { json, msgpack } = formats()
    for (const { plain, deflated } of [json, msgpack]) {
      const [whole, compressed] = [parse(plain.encode(large)), parse(deflated.encode(large))]
      expect(compressed.first).toBe((whole.first ?? 0) | 0x40)
      expect(compressed.payload.length).toBeLessThan(100)
      expect(inflate(compressed.payload).equals(whole.payload)).toBe(true)
    }
  })

  it('share the very same bytes where compression does not help', () => {
    const { json } = formats()
    const noise: ServerMessage = {
      type: 'echo',
      data: Array.from({ length: 2000 }, () => String.fromCharCode(33 + Math.random() * 90)).join(''),
    }
    const incompressible = createWebSocketFormats(MULTICAST, 0).msgpack
    const bytes: ServerMessage = { type: 'echo', data: crypto.getRandomValues(new Uint8Array(3000)) }
    expect(json.deflated.encode(small)).toBe(json.plain.encode(small))
    expect(incompressible.deflated.encode(bytes)).toBe(incompressible.plain.encode(bytes))
    expect(json.deflated.encode(noise)).not.toBe(json.plain.encode(noise))
  })

  it('take the threshold for the size of the message, not of its frame', () => {
    const length = JSON.stringify({ type: 'echo', data: '' }).length
    const message: ServerMessage = { type: 'echo', data: 'x'.repeat(200 - length) }
    const compressed = (threshold: number): boolean => {
      const { plain, deflated } = createWebSocketFormats(MULTICAST, threshold).json
      return deflated.encode(message) !== plain.encode(message)
    }
    expect(compressed(200)).toBe(true)
    expect(compressed(201)).toBe(false)
  })

  it('encode a publication once for both formats of a codec', () => {
    let encodings = 0
    const counted = { type: 'echo', data: { toJSON: () => ++encodings } } as ServerMessage
    const { plain, deflated } = formats().json
    plain.encode(counted)
    deflated.encode(counted)
    plain.encode(counted)
    expect(encodings).toBe(1)
  })

  it('give back what they were given, whatever the size', () => {
    const read = (format: FrameFormat, message: ServerMessage): unknown => {
      const { first = 0, payload } = parse(format.encode(message))
      return JSON.parse((first & 0x40 ? inflate(payload) : payload).toString())
    }
    const { json } = createWebSocketFormats(MULTICAST, 64)
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), (data) => {
        expect(read(json.deflated, { type: 'echo', data })).toEqual({ type: 'echo', data })
      }),
    )
  })
})
