import { expect, it } from 'vitest'
import { LineCounter } from './line-counter.ts'

it('counts messages in lines, events and chunks, wherever the bytes are divided', () => {
  const lines = '{"a":1}\n{"a":{}}\n'
  const events = 'retry: 2000\n\nid: 1\nevent: subscribed\ndata: {"a":1}\n\n: still here\n\n'
  const chunked = `HTTP/1.1 200 OK\r\n\r\n11\r\n${lines}\r\n`
  for (const [text, messages] of [
    [lines, 2],
    [events, 1],
    [chunked, 2],
  ] as const)
    for (const size of [1, 7, text.length]) {
      const counter = new LineCounter()
      const bytes = Buffer.from(text)
      let counted = 0
      for (let at = 0; at < bytes.length; at += size) counted += counter.push(bytes.subarray(at, at + size))
      expect(counted).toBe(messages)
    }
})
