import { ERRORS, type Position, type PublicationMessage, type ServerMessage } from '@fusewire/protocol'
import { describe, expect, it } from 'vitest'
import { readEventId } from './event-id.ts'
import { OneWayFormats } from './one-way-format.ts'

interface Event {
  readonly event: string
  readonly data: unknown
  readonly id?: string
  readonly retry?: string
}

/** Reads events as far as these tests need it; the true parser is held against the format in `sse-one-way.test.ts`. */
const eventsOf = (frame: Uint8Array): Event[] =>
  Buffer.from(frame)
    .toString()
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)))
      return { event: 'message', ...fields, data: JSON.parse(fields.data) }
    })

const create = (channels = ['a'], formats = new OneWayFormats(), since?: Position) => {
  const subscriptions = channels.map((channel) => ({ channel, ...(since && { since }) }))
  const format = formats.create(subscriptions, () => undefined)
  return {
    encode: (message: ServerMessage) => eventsOf(format.encode(message)),
    frame: (message: ServerMessage) => format.encode(message),
  }
}
const offsetIn = (event: Event | undefined, channel = 'a'): number | undefined =>
  readEventId(event?.id ?? '', [channel])?.positions.get(channel)?.offset

const subscribed = (offset: number, channel = 'a'): ServerMessage => ({
  type: 'subscribed',
  channel,
  position: { epoch: 'e', offset },
})
const publication = (offset: number, channel = 'a'): PublicationMessage => ({
  type: 'publication',
  channel,
  offset,
  data: 'x\ny',
  time: 1,
})

describe('the one-way format', () => {
  it('makes publications default events whose id is the position after them', () => {
    const { encode } = create()
    encode(subscribed(4))
    const [event] = encode(publication(5))
    expect(event).toMatchObject({ event: 'message', data: publication(5) })
    expect(offsetIn(event)).toBe(5)
  })

  it('names every other event like its message, and leaves the id as it is', () => {
    const [event] = create().encode({ type: 'unsubscribed', channel: 'a' })
    expect(event).toEqual({ event: 'unsubscribed', data: { type: 'unsubscribed', channel: 'a' } })
  })

  it('keeps the positions of all channels in each id', () => {
    const { encode } = create(['a', 'b'])
    encode(subscribed(4, 'a'))
    encode(subscribed(7, 'b'))
    const [event] = encode(publication(5, 'a'))
    expect(offsetIn(event, 'a')).toBe(5)
    expect(offsetIn(event, 'b')).toBe(7)
  })

  it('keeps where a channel is to be resumed from until it is subscribed, so that a break before then loses nothing [T14]', () => {
    const { encode } = create(['a', 'b'], new OneWayFormats(), { epoch: 'e', offset: 3 })
    const [event] = encode(subscribed(4, 'a'))
    expect(offsetIn(event, 'a')).toBe(4)
    expect(offsetIn(event, 'b')).toBe(3)
  })

  it('sends what was missed after `subscribed`, each with the position that a break there resumes at', () => {
    const missed = [5, 6, 9].map((offset) => ({ offset, data: offset, time: 1 }))
    const events = create().encode({
      type: 'subscribed',
      channel: 'a',
      position: { epoch: 'e', offset: 10 },
      recovered: true,
      publications: missed,
    })
    expect(events[0]).toMatchObject({ event: 'subscribed', data: { recovered: true, position: { offset: 10 } } })
    expect(events[0]?.data).not.toHaveProperty('publications')
    expect(events.slice(1).map(({ event, data }) => ({ event, data }))).toEqual(
      missed.map((publication) => ({ event: 'message', data: { type: 'publication', channel: 'a', ...publication } })),
    )
    // The last one counts up to the position: what lies between was filtered out.
    expect(events.map((event) => offsetIn(event))).toEqual([4, 5, 6, 10])
  })

  it('tells EventSource when to come back', () => {
    const { closeCode } = ERRORS.server_draining
    const [event] = create().encode({
      type: 'disconnect',
      code: 'server_draining',
      closeCode,
      reason: '',
      reconnect: true,
      retryAfterMs: 1234,
    })
    expect(event).toMatchObject({ event: 'disconnect', retry: '1234' })
    expect(event).not.toHaveProperty('id')
  })

  it('marks the id of a stream that is not to come back, and keeps its positions', () => {
    const { encode } = create()
    encode(subscribed(4))
    const { closeCode } = ERRORS.disconnected
    const [event] = encode({ type: 'disconnect', code: 'disconnected', closeCode, reason: '', reconnect: false })
    expect(readEventId(event?.id ?? '', ['a'])).toMatchObject({ stop: true })
    expect(offsetIn(event)).toBe(4)
  })

  it('writes the data of a publication once for all streams', () => {
    const formats = new OneWayFormats()
    const streams = Array.from({ length: 1_000 }, () => create(['a'], formats))
    let reads = 0
    const message = publication(5)
    Object.defineProperty(message, 'data', {
      enumerable: true,
      get: () => {
        reads++
        return 1
      },
    })
    streams[0]?.frame(message)
    const once = reads
    for (const { frame } of streams.slice(1)) frame(message)
    expect(reads).toBe(once)
  })
})
