import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FrameCounter } from './frame-counter.ts'

const frame = (length: number): Buffer => {
  const header =
    length < 126
      ? Buffer.from([0x81, length])
      : length < 65_536
        ? Buffer.from([0x81, 126, length >> 8, length & 0xff])
        : Buffer.from([0x81, 127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff])
  return Buffer.concat([header, Buffer.alloc(length, 0x7f)])
}

it('counts the frames of a stream, however it is cut', () => {
  const lengths = fc.array(fc.constantFrom(0, 2, 100, 125, 126, 127, 65_535, 65_536), { maxLength: 12 })
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 5000 }), (sizes, cut) => {
      const stream = Buffer.concat(sizes.map(frame))
      const counter = new FrameCounter()
      let messages = 0
      for (let at = 0; at < stream.length; at += cut) messages += counter.push(stream.subarray(at, at + cut))
      expect(messages).toBe(sizes.length)
    }),
    { numRuns: 50 },
  )
})

it('does not count what keeps a connection alive, and says when it has to be answered', () => {
  const heard: string[] = []
  const counter = new FrameCounter({ onPing: () => heard.push('ping'), onHeartbeat: () => heard.push('heartbeat') })
  const stream = Buffer.concat([Buffer.from([0x89, 0]), Buffer.from([0x8a, 0]), Buffer.from([0x81, 1, 0x32]), frame(10)])
  let messages = 0
  for (const byte of stream) messages += counter.push(Buffer.from([byte]))
  expect([messages, heard]).toEqual([1, ['ping', 'heartbeat']])
})
