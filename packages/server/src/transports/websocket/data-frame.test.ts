import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as ws from 'ws'
import { dataFrame, OPCODE } from './data-frame.ts'

/** What `ws`, which is held to the Autobahn suite, makes of the same. */
const frameOfWs = (payload: Buffer, opcode: number, rsv1: boolean): Buffer => {
  const { Sender } = ws as unknown as { Sender: { frame(data: Buffer, options: object): Buffer[] } }
  return Buffer.concat(Sender.frame(payload, { fin: true, mask: false, opcode, rsv1 }))
}

describe('dataFrame (RFC 6455 section 5.2)', () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 100_000])('frames %i bytes as ws does', (length) => {
    const payload = Buffer.alloc(length, 0x61)
    for (const opcode of [OPCODE.text, OPCODE.binary])
      for (const compressed of [false, true]) {
        const frame = dataFrame({ opcode, compressed }, length)
        payload.copy(frame, frame.length - length)
        expect(frame.equals(frameOfWs(payload, opcode, compressed))).toBe(true)
      }
  })

  it('frames any payload as ws does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const payload = Buffer.from(bytes)
        const frame = dataFrame({ opcode: OPCODE.binary }, payload.length)
        payload.copy(frame, frame.length - payload.length)
        expect(frame.equals(frameOfWs(payload, OPCODE.binary, false))).toBe(true)
      }),
    )
  })
})
