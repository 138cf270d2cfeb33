import { expect, it } from 'vitest'
import { clientFrame } from '../load/client-frame.ts'
import { FrameReader } from './bare-websocket.ts'

const SHORT = ['a', 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(1000)]

it.each([
  ['short', SHORT, [1, 5, 131, 10_000]],
  // Ten thousand names of channels in one message.
  ['long', [...SHORT, 'e'.repeat(65_535), 'f'.repeat(200_000)], [9973, 65_536, 1_000_000]],
])('the reader of the bare servers finds %s payloads, wherever chunks end', (_, payloads, sizes) => {
  const bytes = Buffer.concat(payloads.map((payload) => clientFrame(payload)))
  for (const size of sizes) {
    const read: string[] = []
    const reader = new FrameReader((payload) => read.push(payload.toString()))
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
    expect(read).toEqual(payloads)
  }
})
