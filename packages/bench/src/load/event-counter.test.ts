import { expect, it } from 'vitest'
import { EventCounter } from './event-counter.ts'

it('counts events with data, and neither comments nor times of retry, however the stream is cut', () => {
  const stream = Buffer.from('retry: 1000\n\n:hello\n\nid: 1\ndata: one\n\nevent: x\ndata: two\ndata: more\n\ndata: unfinished\n')
  for (const cut of [1, 2, 7, 1000]) {
    const counter = new EventCounter()
    let events = 0
    for (let at = 0; at < stream.length; at += cut) events += counter.push(stream.subarray(at, at + cut))
    expect(events).toBe(2)
  }
})
