import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { acceptClientMessage, MessageError } from '../decode.ts'
import type { PublicationMessage } from '../messages/publication.ts'
import { messageErrorOf } from '../testing/message-error-of.ts'
import { jsonCodec } from './json.ts'
import { decodeMsgpack, encodeMsgpack } from './msgpack.ts'

const publication = (data: unknown): PublicationMessage => ({ type: 'publication', channel: 'c', offset: 1, time: 0, data })
const written = (data: unknown): unknown => (JSON.parse(jsonCodec.encode(publication(data)) as string) as { data: unknown }).data

describe('JSON', () => {
  it('reads one message a line, whatever the line ends, and skips empty lines', () => {
    expect(jsonCodec.decode('{"a":1}\r\n\n  \n{"a":2}\n', 32)).toEqual([{ a: 1 }, { a: 2 }])
    expect(jsonCodec.decode('', 32)).toEqual([])
  })

  it('joins messages with line feeds, which no message contains', () => {
    const messages = [publication('one\ntwo'), publication('\u2028')]
    expect(jsonCodec.decode(jsonCodec.join(messages.map((message) => jsonCodec.encode(message))), 32)).toEqual(messages)
  })

  describe('[P10] writes bytes as base64 text', () => {
    it.each<[string, unknown, unknown]>([
      ['as data', new Uint8Array([0, 1, 254, 255]), 'AAH+/w=='],
      ['without content', new Uint8Array(0), ''],
      ['inside objects and arrays', { a: [{ b: new Uint8Array([97]) }], c: 1 }, { a: [{ b: 'YQ==' }], c: 1 }],
      ['as a Node Buffer', { a: Buffer.from('hi') }, { a: 'aGk=' }],
      ['in large amounts', new Uint8Array(100_000).fill(7), Buffer.alloc(100_000, 7).toString('base64')],
    ])('%s', (_, data, expected) => expect(written(data)).toEqual(expected))

    it('and never turns text back into bytes', () => {
      expect(jsonCodec.decode('{"data":"AAH+/w=="}', 32)).toEqual([{ data: 'AAH+/w==' }])
    })
  })

  it('makes of any MessagePack data what it makes of its own', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(publication(value))
        expect(jsonCodec.encode(publication(value))).toBe(text)
        expect(jsonCodec.encode(decodeMsgpack(encodeMsgpack(JSON.parse(text)), 512)[0] as PublicationMessage)).toBe(text)
      }),
    )
  })

  it('writes lone surrogates as escapes, and reads them', () => {
    const text = jsonCodec.encode(publication('\ud800')) as string
    expect(text).toContain('"\\ud800"')
    expect(jsonCodec.decode(text, 32)).toEqual([publication('\ud800')])
  })

  it('lets the last of two equal keys win, and keeps __proto__ as a field', () => {
    const [value] = jsonCodec.decode('{"a":1,"a":2,"__proto__":{"admin":true}}', 32) as [Record<string, unknown>]
    expect(Object.entries(value)).toEqual([
      ['a', 2],
      ['__proto__', { admin: true }],
    ])
    expect(value.admin).toBeUndefined()
  })

  it('refuses to write cycles, endless nesting and bigints', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    expect(messageErrorOf(() => jsonCodec.encode(publication(cycle))).code).toBe('message_too_deep')
    expect(messageErrorOf(() => jsonCodec.encode(publication(1n))).code).toBe('invalid_field')
    const throws = {
      toJSON() {
        throw new Error('no')
      },
    }
    expect(messageErrorOf(() => jsonCodec.encode(publication(throws))).code).toBe('invalid_field')
  })

  it.each(['{', '[1,]', "{'a':1}", 'undefined', '\ufeff{}', 'NaN', '{"a":1}{"b":2}', '{"a":"\u0001"}', '01'])(
    'refuses %j',
    (text) => expect(messageErrorOf(() => jsonCodec.decode(text, 32)).code).toBe('malformed_message'),
  )

  it('refuses bytes where text is due', () => {
    expect(messageErrorOf(() => jsonCodec.decode(new Uint8Array(2), 32)).code).toBe('malformed_message')
  })

  it.each([
    ['arrays', '['.repeat(1_000_000), ''],
    ['closed arrays', '['.repeat(1_000_000), ']'.repeat(1_000_000)],
    ['objects', '{"a":'.repeat(200_000), `1${'}'.repeat(200_000)}`],
  ])('survives a million nested %s', (_, open, close) => {
    const message = `{"type":"publish","id":1,"channel":"c","data":${open}${close}}`
    const error = messageErrorOf(() => acceptClientMessage(jsonCodec.decode(message, 32)[0], 32))
    expect(error.code).toBe(close === '' ? 'malformed_message' : 'message_too_deep')
    expect(messageErrorOf(() => acceptClientMessage(jsonCodec.decode(open + close, 32)[0], 32)).code).toMatch(
      /malformed_message|unknown_type|invalid_field/,
    )
  })

  it('never fails otherwise than with a MessageError, whatever the text', () => {
    const json = fc.json().chain((text) => fc.nat(text.length).map((at) => text.slice(0, at) + text.slice(at + 1)))
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), json, fc.json()), (text) => {
        try {
          for (const value of jsonCodec.decode(text, 8)) acceptClientMessage(value, 8)
        } catch (error) {
          expect(error).toBeInstanceOf(MessageError)
        }
      }),
      { numRuns: 3_000 },
    )
  })
})
