import { decode, decodeMulti, encode } from '@msgpack/msgpack'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MessageError } from '../decode.ts'
import { LIMITS } from '../limits.ts'
import { messageErrorOf } from '../testing/message-error-of.ts'
import { decodeMsgpack, encodeMsgpack, msgpackCodec } from './msgpack.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const read = (text: string, maxDepth = 32): unknown => decodeMsgpack(fromHex(text), maxDepth)[0]

const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.integer({ min: -40_000, max: 70_000 }),
  // Like JSON, it writes -0 as 0.
  fc.double().map((value) => (value === 0 ? 0 : value)),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }),
)
/** What both codecs and both libraries can carry; `__proto__` has tests of its own. */
const data = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 6, noNullPrototype: true },
    ),
  ),
})).value

describe('MessagePack', () => {
  describe('writes each value in its smallest form', () => {
    it.each<[unknown, string]>([
      [null, 'c0'],
      [undefined, 'c0'],
      [false, 'c2'],
      [true, 'c3'],
      [0, '00'],
      [127, '7f'],
      [128, 'cc80'],
      [255, 'ccff'],
      [256, 'cd0100'],
      [65_535, 'cdffff'],
      [65_536, 'ce00010000'],
      [2 ** 32 - 1, 'ceffffffff'],
      [2 ** 32, 'cf0000000100000000'],
      [Number.MAX_SAFE_INTEGER, 'cf001fffffffffffff'],
      [-1, 'ff'],
      [-32, 'e0'],
      [-33, 'd0df'],
      [-128, 'd080'],
      [-129, 'd1ff7f'],
      [-32_768, 'd18000'],
      [-32_769, 'd2ffff7fff'],
      [-(2 ** 31), 'd280000000'],
      [-(2 ** 31) - 1, 'd3ffffffff7fffffff'],
      [Number.MIN_SAFE_INTEGER, 'd3ffe0000000000001'],
      [1.5, 'cb3ff8000000000000'],
      [-0, '00'],
      [2 ** 53, 'cb4340000000000000'],
      [Number.NaN, 'cb7ff8000000000000'],
      ['', 'a0'],
      ['a'.repeat(31), `bf${'61'.repeat(31)}`],
      ['a'.repeat(32), `d920${'61'.repeat(32)}`],
      ['a'.repeat(256), `da0100${'61'.repeat(256)}`],
      ['a'.repeat(65_536), `db00010000${'61'.repeat(65_536)}`],
      ['é', 'a2c3a9'],
      ['é'.repeat(20), `d928${'c3a9'.repeat(20)}`],
      ['€'.repeat(100), `da012c${'e282ac'.repeat(100)}`],
      ['😀', 'a4f09f9880'],
      [new Uint8Array([1, 2]), 'c4020102'],
      [new Uint8Array(256), `c50100${'00'.repeat(256)}`],
      [new Uint8Array(65_536), `c600010000${'00'.repeat(65_536)}`],
      [[], '90'],
      [Array(15).fill(0), `9f${'00'.repeat(15)}`],
      [Array(16).fill(0), `dc0010${'00'.repeat(16)}`],
      [Array(65_536).fill(0), `dd00010000${'00'.repeat(65_536)}`],
      [{}, '80'],
      [{ a: 1, b: [] }, '82a16101a16290'],
    ])('%#', (value, expected) => expect(hex(encodeMsgpack(value))).toBe(expected))

    it('of maps with 16 and with 65,536 fields', () => {
      const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]))
      expect(hex(encodeMsgpack(fields(16))).slice(0, 6)).toBe('de0010')
      expect(hex(encodeMsgpack(fields(65_536))).slice(0, 10)).toBe('df00010000')
    })
  })

  it('reads every form, also those that are not the smallest', () => {
    expect(read('ca3fc00000')).toBe(1.5)
    expect(read('cc01')).toBe(1)
    expect(read('cf0000000000000001')).toBe(1)
    expect(read('d3ffffffffffffffff')).toBe(-1)
    expect(read('db0000000161')).toBe('a')
    expect(read('dd0000000101')).toEqual([1])
    expect(read('df00000001 db0000000161 01')).toEqual({ a: 1 })
  })

  it('leaves out fields that are undefined or functions, as JSON does', () => {
    expect(hex(encodeMsgpack({ a: undefined, b: 1, c: () => 0, d: Symbol('d') }))).toBe('81a16201')
    expect(hex(encodeMsgpack([undefined]))).toBe('91c0')
  })

  it('[P11] writes what toJSON gives, so that a date is the text that JSON makes of it', () => {
    expect(decode(encodeMsgpack({ at: new Date(0) }))).toEqual({ at: '1970-01-01T00:00:00.000Z' })
  })

  it('encodes something else from within toJSON', () => {
    const inner = { toJSON: () => hex(encodeMsgpack([1, 2, 3])) }
    expect(decode(encodeMsgpack(['before', inner, 'after']))).toEqual(['before', '93010203', 'after'])
  })

  it('goes on after an encoding that failed', () => {
    expect(messageErrorOf(() => encodeMsgpack([1n])).code).toBe('invalid_field')
    expect(hex(encodeMsgpack([1]))).toBe('9101')
  })

  it('refuses to write cycles and endless nesting', () => {
    const cycle: unknown[] = []
    cycle.push(cycle, cycle)
    expect(messageErrorOf(() => encodeMsgpack(cycle)).code).toBe('message_too_deep')
  })

  it('writes U+FFFD for a lone surrogate', () => {
    expect(read(hex(encodeMsgpack('a\ud800b')))).toBe('a\ufffdb')
    expect(read(hex(encodeMsgpack(`${'a'.repeat(50)}\udc00`)))).toBe(`${'a'.repeat(50)}\ufffd`)
  })

  it('keeps a field named __proto__ as a field', () => {
    const read = decodeMsgpack(encode(JSON.parse('{"__proto__":{"admin":true},"b":1}')), 32)[0] as Record<string, unknown>
    expect(Object.keys(read)).toEqual(['__proto__', 'b'])
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
    expect(read.admin).toBeUndefined()
  })

  it('lets the last of two equal keys win, as JSON does', () => {
    expect(read('82a16101a16102')).toEqual({ a: 2 })
  })

  it('reads bytes as a copy', () => {
    const frame = Buffer.from('c403010203', 'hex')
    const [bytes] = decodeMsgpack(frame, 1)
    frame.fill(0)
    expect(bytes).toEqual(new Uint8Array([1, 2, 3]))
    expect(bytes).not.toBeInstanceOf(Buffer)
  })

  it('[P11] reads timestamps of 4, 8 and 12 bytes as text', () => {
    expect(read('d6ff 00000001')).toBe('1970-01-01T00:00:01.000Z')
    expect(read('d7ff 1dcd650000000001')).toBe('1970-01-01T00:00:01.125Z')
    expect(read('c70cff 1dcd6500 ffffffffffffffff')).toBe('1969-12-31T23:59:59.500Z')
  })

  it('[P11] agrees with another library on what a timestamp is', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), (date) => {
        expect(decodeMsgpack(encode(date), 1)).toEqual([date.toISOString()])
      }),
    )
  })

  describe('refuses', () => {
    it.each([
      ['the reserved byte', 'c1'],
      ['an unknown extension type', 'd40100'],
      ['a timestamp of an odd length', 'd5ff0000'],
      ['a timestamp with too many nanoseconds', 'd7ff fffffffc00000000'],
      ['a timestamp beyond what a date holds', 'c70cff 00000000 7fffffffffffffff'],
      ['an unsigned integer beyond 2^53 - 1', 'cf0020000000000000'],
      ['a signed integer beyond 2^53 - 1', 'd38000000000000000'],
      ['a map key that is a number', '810101'],
      ['a map key that is bytes', '81c4016101'],
      ['text that is not UTF-8', 'a2c328'],
      ['long text that is not UTF-8', `d921${'61'.repeat(32)}ff`],
      ['text that ends early', 'a361'],
      ['bytes that end early', 'c4ff00'],
      ['an array of four billion items', 'ddffffffff'],
      ['a map of four billion fields', 'dfffffffff'],
      ['text of four gigabytes', 'dbffffffff'],
      ['bytes of four gigabytes', 'c6ffffffff'],
      ['an extension of four gigabytes', 'c9ffffffffff'],
      ['a map whose last value is missing', '81a161'],
      ['a number that ends early', 'cb00'],
    ])('%s', (_, bytes) => expect(messageErrorOf(() => read(bytes)).code).toBe('malformed_message'))

    it('what is nested deeper than allowed, without going there', () => {
      expect(read('91919101', 3)).toEqual([[[1]]])
      expect(messageErrorOf(() => read('91919101', 2)).code).toBe('message_too_deep')
      for (const maxDepth of [32, Number.POSITIVE_INFINITY])
        expect(messageErrorOf(() => decodeMsgpack(new Uint8Array(1_000_000).fill(0x91), maxDepth)).code).toBe('message_too_deep')
    })

    it('text where bytes are due', () =>
      expect(messageErrorOf(() => msgpackCodec.decode('{}', 32)).code).toBe('malformed_message'))
  })

  it('reads several values, joined, in order; and none of no bytes', () => {
    const joined = msgpackCodec.join([msgpackCodec.encode({ type: 'ping' }), msgpackCodec.encode({ type: 'ping', id: 1 })])
    expect(msgpackCodec.decode(joined, 32)).toEqual([{ type: 'ping' }, { type: 'ping', id: 1 }])
    expect(msgpackCodec.decode(new Uint8Array(0), 32)).toEqual([])
  })

  it('reads any value that it wrote', () => {
    fc.assert(
      fc.property(data, (value) => {
        expect(decodeMsgpack(encodeMsgpack(value), LIMITS.depth)).toEqual([value])
      }),
    )
  })

  it('is read by another library, and reads what that one writes', () => {
    fc.assert(
      fc.property(data, (value) => {
        expect(decode(encodeMsgpack(value))).toEqual(value)
        expect(decodeMsgpack(encode(value), LIMITS.depth)).toEqual([value])
      }),
    )
  })

  it('writes the same bytes as another library', () => {
    fc.assert(
      fc.property(data, (value) => {
        expect(hex(encodeMsgpack(value))).toBe(hex(encode(value)))
      }),
    )
  })

  it('never fails otherwise than with a MessageError, whatever the bytes', () => {
    const anyBytes = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.array(fc.integer({ min: 0x80, max: 0xdf }), { maxLength: 32 }).map((b) => Uint8Array.from(b)),
    )
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        try {
          decodeMsgpack(bytes, 8)
        } catch (error) {
          expect(error).toBeInstanceOf(MessageError)
        }
      }),
      { numRuns: 5_000 },
    )
  })

  it('never fails otherwise when good bytes are damaged, and agrees with the other library where both can read', () => {
    fc.assert(
      fc.property(data, fc.nat(), fc.integer({ min: 0, max: 255 }), (value, at, byte) => {
        const bytes = encodeMsgpack(value)
        bytes[at % bytes.length] = byte
        let values: unknown[]
        try {
          values = decodeMsgpack(bytes, LIMITS.depth)
        } catch (error) {
          expect(error).toBeInstanceOf(MessageError)
          return
        }
        let others: unknown[]
        try {
          others = [...decodeMulti(bytes)]
        } catch {
          return
        }
        if (!hex(bytes).includes('ff')) expect(values).toEqual(others)
      }),
      { numRuns: 1_000 },
    )
  })
})
