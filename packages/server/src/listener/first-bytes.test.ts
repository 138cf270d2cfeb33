import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PREFACE, recognise } from './first-bytes.ts'

const bytes = (text: string) => Buffer.from(text, 'latin1')

describe('recognise', () => {
  it('takes the complete preface for HTTP/2, whatever follows it', () => {
    expect(recognise(PREFACE)).toBe('h2')
    expect(recognise(Buffer.concat([PREFACE, Buffer.from([0, 0, 0])]))).toBe('h2')
  })

  it('waits while the bytes may still become the preface', () => {
    for (let length = 0; length < PREFACE.length; length++) expect(recognise(PREFACE.subarray(0, length))).toBeUndefined()
  })

  it('takes an opening brace for newline-delimited JSON', () => {
    expect(recognise(bytes('{'))).toBe('tcp')
    expect(recognise(bytes('{"type":"ping"}\n'))).toBe('tcp')
  })

  it('leaves everything else to HTTP/1, a preface that goes wrong included', () => {
    for (const text of ['G', 'GET / HTTP/1.1\r\n', 'PRI * HTTP/3.0', 'PRI * HTTP/2.0\r\n\r\nSX', 'PUT', '\x16\x03\x01', '[1]'])
      expect(recognise(bytes(text))).toBe('h1')
  })

  it('does not change its mind when more bytes come', () => {
    const start = fc.oneof(
      fc.constant(PREFACE),
      fc.nat(PREFACE.length).map((n) => PREFACE.subarray(0, n)),
      fc.constant(bytes('{')),
    )
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 40 }), (begin, rest) => {
        const all = Buffer.concat([begin, rest])
        let first: string | undefined
        for (let length = 0; length <= all.length; length++) first ??= recognise(all.subarray(0, length))
        expect(recognise(all)).toBe(first)
      }),
    )
  })
})
