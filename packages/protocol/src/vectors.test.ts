import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Codec, Payload } from './codecs/codec.ts'
import { jsonCodec } from './codecs/json.ts'
import { msgpackCodec } from './codecs/msgpack.ts'
import { acceptClientMessage, acceptServerMessage, MessageError } from './decode.ts'
import { LineDecoder } from './line-decoder.ts'
import { CLIENT_MESSAGES, type ClientMessage } from './messages/client-message.ts'
import { RESULTS } from './messages/results.ts'
import { SERVER_MESSAGES, type ServerMessage } from './messages/server-message.ts'
import type { Schema } from './schema.ts'

const MAX_DEPTH = 32

const read = <T>(name: string): T[] =>
  JSON.parse(readFileSync(new URL(`../../../spec/vectors/${name}`, import.meta.url), 'utf8')) as T[]
const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))

/** Replaces `{"$bytes": "<hex>"}` of the vectors by bytes, or by what `write` makes of them. */
const withBytes = (value: unknown, write: (bytes: Uint8Array) => unknown = (bytes) => bytes): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => withBytes(item, write))
  if ('$bytes' in value && typeof value.$bytes === 'string') return write(fromHex(value.$bytes))
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withBytes(field, write)]))
}
const asBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

interface GoldenMessage {
  readonly name: string
  readonly message: { readonly type: string }
  readonly json: string
  readonly msgpack: string
  readonly result?: keyof typeof RESULTS
}

interface Side {
  readonly file: string
  readonly schemas: Readonly<Record<string, Schema<unknown>>>
  readonly accept: (value: unknown) => unknown
}

const SIDES: readonly Side[] = [
  { file: 'client-messages.json', schemas: CLIENT_MESSAGES, accept: (value) => acceptClientMessage(value, MAX_DEPTH) },
  { file: 'server-messages.json', schemas: SERVER_MESSAGES, accept: acceptServerMessage },
]

describe.each(SIDES)('$file', ({ file, schemas, accept }) => {
  const goldens = read<GoldenMessage>(file)

  it.each(goldens)('$name', ({ message, json, msgpack, result }) => {
    const native = withBytes(message) as ClientMessage | ServerMessage
    const plain = withBytes(message, asBase64)
    expect(jsonCodec.encode(native)).toBe(json)
    expect(Buffer.from(msgpackCodec.encode(native) as Uint8Array).toString('hex')).toBe(msgpack)
    expect(jsonCodec.decode(json, MAX_DEPTH)).toEqual([plain])
    expect(msgpackCodec.decode(fromHex(msgpack), MAX_DEPTH)).toEqual([native])
    expect(accept(plain)).toEqual(plain)
    expect(accept(native)).toEqual(native)
    if (result) expect(RESULTS[result].check((native as { data?: unknown }).data, '')).toBeUndefined()
  })

  it('covers every message, with each of its fields and without the optional ones', () => {
    for (const [type, { shape }] of Object.entries(schemas)) {
      const fields = goldens.filter(({ message }) => message.type === type).map(({ message }) => Object.keys(message))
      const names = Object.keys(shape)
      const required = names.filter((name) => !name.endsWith('?'))
      for (const name of names) expect(fields.flat(), `${type} with ${name}`).toContain(name.replace('?', ''))
      const isMinimal = (present: string[]) => present.every((name) => required.includes(name))
      expect(fields.some(isMinimal), `${type} as little as can be`).toBe(true)
    }
  })

  it('joins to one payload that carries them all', () => {
    const natives = goldens.map(({ message }) => withBytes(message) as ClientMessage)
    const join = (codec: Codec): unknown[] => codec.decode(codec.join(natives.map((native) => codec.encode(native))), MAX_DEPTH)
    expect(join(jsonCodec)).toEqual(goldens.map(({ message }) => withBytes(message, asBase64)))
    expect(join(msgpackCodec)).toEqual(natives)
  })
})

interface Given {
  readonly name: string
  readonly json?: string
  readonly msgpack?: string
}

const payloadsOf = ({ json, msgpack }: Given): [Codec, Payload][] => [
  ...(json === undefined ? [] : [[jsonCodec, json] as [Codec, Payload]]),
  ...(msgpack === undefined ? [] : [[msgpackCodec, fromHex(msgpack)] as [Codec, Payload]]),
]

describe('client-payloads.json', () => {
  it.each(read<Given & { messages: unknown[] }>('client-payloads.json'))('$name', (given) => {
    for (const [codec, payload] of payloadsOf(given)) {
      const messages = codec.decode(payload, MAX_DEPTH).map((value) => acceptClientMessage(value, MAX_DEPTH))
      expect(messages, codec.name).toEqual(given.messages)
    }
  })
})

describe('invalid-client-payloads.json', () => {
  const invalid = read<Given & { maxDepth?: number; error: string; id?: number }>('invalid-client-payloads.json')

  it.each(invalid)('$name', (given) => {
    const { maxDepth = MAX_DEPTH, error, id } = given
    const payloads = payloadsOf(given)
    expect(payloads).toHaveLength(1)
    for (const [codec, payload] of payloads) {
      let refused: unknown
      try {
        for (const value of codec.decode(payload, maxDepth)) acceptClientMessage(value, maxDepth)
      } catch (thrown) {
        refused = thrown
      }
      expect(refused).toBeInstanceOf(MessageError)
      expect(refused).toMatchObject({ code: error, id })
    }
  })
})

describe('lines.json', () => {
  interface Lines {
    readonly name: string
    readonly maxLineBytes: number
    readonly chunks: string[]
    readonly expect: { readonly line?: string; readonly error?: string }[]
  }

  it.each(read<Lines>('lines.json'))('$name', ({ maxLineBytes, chunks, expect: expected }) => {
    const decoder = new LineDecoder(maxLineBytes)
    const seen: Lines['expect'] = []
    for (const chunk of chunks)
      decoder.read(
        fromHex(chunk),
        (line) => seen.push({ line }),
        ({ code }) => seen.push({ error: code }),
      )
    const last = decoder.end()
    if (last !== undefined) seen.push({ line: last })
    expect(seen).toEqual(expected)
  })
})
