import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MessageError } from './decode.ts'
import { LineDecoder } from './line-decoder.ts'
import { messageErrorOf } from './testing/message-error-of.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Everything that the decoder says of these chunks, in order: lines, and `!code` for refusals. */
const readAll = (chunks: readonly Uint8Array[], maxLineBytes: number): string[] => {
  const decoder = new LineDecoder(maxLineBytes)
  const seen: string[] = []
  for (const chunk of chunks)
    decoder.read(
      chunk,
      (line) => seen.push(`=${line}`),
      (error) => seen.push(`!${error.code}`),
    )
  try {
    const last = decoder.end()
    if (last !== undefined) seen.push(`=${last}`)
  } catch (error) {
    seen.push(`!${(error as MessageError).code}`)
  }
  return seen
}

const cut = (whole: Uint8Array, sizes: readonly number[]): Uint8Array[] => {
  const chunks: Uint8Array[] = []
  let at = 0
  for (const size of sizes) {
    chunks.push(whole.slice(at, at + size))
    at += size
  }
  chunks.push(whole.slice(at))
  return chunks
}

describe('LineDecoder', () => {
  it('gives complete lines and keeps the unfinished one', () => {
    const decoder = new LineDecoder(100)
    expect(decoder.push(bytes('one\ntwo\nth'))).toEqual(['one', 'two'])
    expect(decoder.push(bytes('ree'))).toEqual([])
    expect(decoder.push(bytes('\n'))).toEqual(['three'])
    expect(decoder.end()).toBeUndefined()
  })

  it('takes CRLF as one line end, also when it is cut in two, and gives empty lines', () => {
    expect(readAll([bytes('a\r'), bytes('\n\r\n\nb\r\n')], 100)).toEqual(['=a', '=', '=', '=b'])
  })

  it('gives the last line at the end of the stream when it has no LF', () => {
    const decoder = new LineDecoder(100)
    decoder.push(bytes('a\nb'))
    expect(decoder.end()).toBe('b')
    expect(decoder.end()).toBeUndefined()
  })

  it('reads characters that are cut byte by byte', () => {
    expect(
      readAll(
        [...bytes('žluťoučký 🐎\n')].map((byte) => Uint8Array.of(byte)),
        100,
      ),
    ).toEqual(['=žluťoučký 🐎'])
  })

  it('keeps a byte order mark as text', () => {
    expect(readAll([Uint8Array.of(0xef, 0xbb, 0xbf, 0x0a)], 100)).toEqual(['=\ufeff'])
  })

  it.each([
    ['overlong', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a cut character', [0xf0, 0x9f, 0x90]],
    ['a byte that UTF-8 does not have', [0xff]],
  ])('refuses a line with %s and goes on with the next', (_, wrong) => {
    expect(readAll([Uint8Array.of(...bytes('a\n'), ...wrong, ...bytes('\nb\n'))], 100)).toEqual([
      '=a',
      '!malformed_message',
      '=b',
    ])
  })

  it('takes a line of the longest size, and refuses one byte more', () => {
    expect(readAll([bytes('12345\n123456\n12345\n')], 5)).toEqual(['=12345', '!message_too_large', '=12345'])
  })

  it('refuses a line as soon as it is too long, once, and goes on after its end', () => {
    const decoder = new LineDecoder(5)
    expect(messageErrorOf(() => decoder.push(bytes('123456'))).code).toBe('message_too_large')
    expect(decoder.push(bytes('789'))).toEqual([])
    expect(decoder.push(bytes('0\nnext\n'))).toEqual(['next'])
  })

  it('says nothing more of a refused line when the stream ends in it', () => {
    expect(readAll([bytes('123456')], 5)).toEqual(['!message_too_large'])
  })

  it('throws from push for a bad line among good ones, and reads the next chunk', () => {
    const decoder = new LineDecoder(5)
    expect(messageErrorOf(() => decoder.push(bytes('a\n123456\nb\n'))).code).toBe('message_too_large')
    expect(decoder.push(bytes('c\n'))).toEqual(['c'])
  })

  it('does not hold on to the chunk', () => {
    const decoder = new LineDecoder(100)
    const chunk = bytes('ab')
    decoder.push(chunk)
    chunk.fill(0x78)
    expect(decoder.push(bytes('\n'))).toEqual(['ab'])
  })

  it('reads a long line byte by byte in linear time', () => {
    const decoder = new LineDecoder(1 << 20)
    const one = bytes('x')
    for (let i = 0; i < 1 << 20; i++) decoder.push(one)
    expect(decoder.push(bytes('\n'))[0]).toHaveLength(1 << 20)
  })

  it('gives the same lines and refusals however the bytes are cut', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }).map(bytes),
      fc.uint8Array({ maxLength: 6 }),
      fc.constantFrom(bytes('\n'), bytes('\r\n'), bytes('\r')),
    )
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 20 }),
        fc.array(fc.nat(9), { maxLength: 40 }),
        fc.integer({ min: 1, max: 24 }),
        (pieces, sizes, max) => {
          const whole = Uint8Array.from(pieces.flatMap((p) => [...p]))
          const expected = readAll([whole], max)
          expect(readAll(cut(whole, sizes), max)).toEqual(expected)
          expect(
            readAll(
              [...whole].map((byte) => Uint8Array.of(byte)),
              max,
            ),
          ).toEqual(expected)
        },
      ),
      { numRuns: 500 },
    )
  })
})
