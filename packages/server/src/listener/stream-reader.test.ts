import { PassThrough } from 'node:stream'
import { eventually } from '@fusewire/testkit'
import { describe, expect, it } from 'vitest'
import { readBy, readByNobody, type StreamReader } from './stream-reader.ts'

const readerOf = (): StreamReader & { readonly heard: string[] } => {
  const heard: string[] = []
  return {
    heard,
    read: (bytes) => heard.push(`${bytes}`),
    end: () => heard.push('end'),
    closed: () => heard.push('closed'),
  }
}

const hears = (reader: { readonly heard: string[] }, ...expected: string[]): Promise<void> =>
  eventually(() => expect(reader.heard).toEqual(expected))

describe('the reader of a stream', () => {
  it('hears what comes, its end and the close', async () => {
    const [stream, reader] = [new PassThrough(), readerOf()]
    readBy(stream, reader)
    stream.end('a')
    await hears(reader, 'a', 'end', 'closed')
  })

  it('can be replaced, even while it reads, without another listener', async () => {
    const [stream, second] = [new PassThrough(), readerOf()]
    const first = { ...readerOf(), read: () => readBy(stream, second) }
    readBy(stream, first)
    const events = ['data', 'end', 'close'] as const
    const counts = events.map((event) => stream.listenerCount(event))
    stream.write('a')
    await eventually(() => expect(stream.readableLength).toBe(0))
    stream.end('b')
    await hears(second, 'b', 'end', 'closed')
    expect(first.heard).toEqual([])
    expect(events.map((event) => stream.listenerCount(event))).toEqual(counts)
  })

  it('can be none: then nothing of it is left on the stream, and another may come', async () => {
    const [stream, reader, next] = [new PassThrough(), readerOf(), readerOf()]
    const counts = () => ['data', 'end', 'close'].map((event) => stream.listenerCount(event))
    const before = counts()
    readByNobody(stream)
    readBy(stream, reader)
    readByNobody(stream)
    expect(counts()).toEqual(before)
    readBy(stream, next)
    stream.end('a')
    await hears(next, 'a', 'end', 'closed')
    expect(reader.heard).toEqual([])
  })
})
