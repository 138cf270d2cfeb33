import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clientFrame } from '../testing/client-frame.ts'
import { readPlainFrame } from './plain-frame.ts'

const MAX = 70_000
const read = (bytes: Buffer, at = 0, max = MAX) => {
  const frame = readPlainFrame(bytes, at, max)
  return frame && { kind: frame.kind, payload: bytes.subarray(frame.start, frame.end), end: frame.end }
}

describe('readPlainFrame', () => {
  it.each([0, 1, 125, 126, 127, 65_535])('reads a message of %i bytes, whatever its mask', (length) => {
    for (const mask of [0, 0x01020304, 0xfffefdfc]) {
      const text = clientFrame({ opcode: 1, mask }, 'x'.repeat(length))
      expect(read(text)).toEqual({ kind: 'text', payload: Buffer.from('x'.repeat(length)), end: text.length })
      const binary = clientFrame({ opcode: 2, mask }, Buffer.alloc(length, 0xff))
      expect(read(binary)).toEqual({ kind: 'binary', payload: Buffer.alloc(length, 0xff), end: binary.length })
    }
  })

  it('reads a pong', () => {
    expect(read(clientFrame({ opcode: 10, mask: 1 }, 'a'))).toMatchObject({ kind: 'pong', payload: Buffer.from('a') })
  })

  it('reads one frame after the other', () => {
    const bytes = Buffer.concat([clientFrame({ opcode: 1, mask: 5 }, 'é'), clientFrame({ opcode: 2, mask: 6 }, 'b')])
    const first = read(bytes)
    expect(String(first?.payload)).toBe('é')
    expect(read(bytes, first?.end)).toMatchObject({ kind: 'binary', end: bytes.length })
    expect(read(bytes, bytes.length)).toBeUndefined()
  })

  it.each([
    ['the beginning of a message', clientFrame({ opcode: 1, isFinal: false }, 'a')],
    ['the end of one', clientFrame({ opcode: 0 }, 'a')],
    ['a ping', clientFrame({ opcode: 9 }, 'a')],
    ['a close', clientFrame({ opcode: 8 }, '')],
    ['a frame of an unknown kind', clientFrame({ opcode: 3 }, 'a')],
    ['a compressed message', clientFrame({ opcode: 1, reserved: 0x40 }, 'a')],
    ['a reserved bit', clientFrame({ opcode: 1, reserved: 0x10 }, 'a')],
    ['a pong that is too long', clientFrame({ opcode: 10 }, 'x'.repeat(126))],
    ['a length of 64 bits', clientFrame({ opcode: 2 }, Buffer.alloc(65_536))],
    ['text that is none', clientFrame({ opcode: 1, mask: 0x01020304 }, Buffer.from([0x61, 0xff, 0x62]))],
    ['no mask', Buffer.from([0x81, 1, 0x61])],
  ])('leaves %s as it is', (_what, bytes) => {
    const before = Buffer.from(bytes)
    expect(read(bytes)).toBeUndefined()
    expect(bytes).toEqual(before)
  })

  it('leaves what is too large', () => {
    expect(read(clientFrame({ opcode: 1 }, 'abc'), 0, 3)).toBeDefined()
    expect(read(clientFrame({ opcode: 1 }, 'abcd'), 0, 3)).toBeUndefined()
  })

  it('leaves every part of a frame', () => {
    for (const length of [0, 1, 200]) {
      const bytes = clientFrame({ opcode: 1, mask: 7 }, 'x'.repeat(length))
      for (let end = 0; end < bytes.length; end++) expect(read(bytes.subarray(0, end))).toBeUndefined()
    }
  })

  it('never throws, and never reads beyond the end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (random, start) => {
        const frame = read(Buffer.from(random), start)
        expect(frame?.end ?? 0).toBeLessThanOrEqual(random.length)
      }),
    )
  })
})
