import { type ClientMessage, jsonCodec } from '@fusewire/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { json } from './json.ts'

const echo = (data: unknown): ClientMessage => ({ type: 'echo', data })

test('it writes and reads what the codec of the protocol does', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (values) => {
      const payload = values.map((value) => json.encode(echo(value))).join('\n')
      expect(payload).toBe(jsonCodec.join(values.map((value) => jsonCodec.encode(echo(value)))))
      expect(json.decode(payload, 64)).toEqual(jsonCodec.decode(payload, 64))
    }),
  )
})

test('bytes are written as base64, wherever they are', () => {
  for (const bytes of [new Uint8Array(), Buffer.from('hey'), new Uint8Array(100_000).fill(200)]) {
    const message = echo({ list: [bytes], text: 'x' })
    expect(json.encode(message)).toBe(jsonCodec.encode(message))
  }
})

test('empty lines and carriage returns are nothing', () => {
  expect(json.decode('\r\n{"a":1}\r\n\n[2]\n', 64)).toEqual([{ a: 1 }, [2]])
})
