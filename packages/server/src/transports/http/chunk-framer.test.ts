import { describe, expect, it } from 'vitest'
import { ChunkFramer } from './chunk-framer.ts'

describe('ChunkFramer', () => {
  it('puts the size in front and a line break behind', () => {
    const framer = new ChunkFramer()
    expect(String(framer.frame(Buffer.from('a'.repeat(26))))).toBe(`1a\r\n${'a'.repeat(26)}\r\n`)
    expect(String(framer.frame(Buffer.from('€')))).toBe('3\r\n€\r\n')
  })

  it('frames the same bytes once', () => {
    const framer = new ChunkFramer()
    const bytes = Buffer.from('a')
    expect(framer.frame(bytes)).toBe(framer.frame(bytes))
    expect(framer.frame(Buffer.from('b'))).not.toBe(framer.frame(bytes))
  })
})
