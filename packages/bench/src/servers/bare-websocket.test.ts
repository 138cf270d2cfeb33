import { describe, expect, it } from 'vitest'
import { clientFrame } from '../load/client-frame.ts'
import { FrameReader } from './bare-websocket.ts'

describe('the reader of the bare servers', () => {
  it('finds payloads of both lengths, wherever chunks end', () => {
    const payloads = ['a', 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(1000)]
    const bytes = Buffer.concat(payloads.map((payload) => clientFrame(payload)))
    for (const size of [1, 5, 131, bytes.length]) {
      const read: string[] = []
      const reader = new FrameReader((payload) => read.push(payload.toString()))
      for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
      expect(read).toEqual(payloads)
    }
  })
})
