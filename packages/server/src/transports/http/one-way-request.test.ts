import { MessageError } from '@fusewire/protocol'
import { describe, expect, it } from 'vitest'
import { EventIdWriter } from './event-id.ts'
import { readOneWayRequest } from './one-way-request.ts'

const read = (query: string, headers: Record<string, string> = {}) => readOneWayRequest(new URLSearchParams(query), headers, 32)

const idOf = (channel: string, offset: number, stop = false): string => {
  const writer = new EventIdWriter([channel])
  writer.set(channel, { epoch: 'e', offset })
  return writer.id(stop)
}
const LOST = { epoch: 'lost', offset: 0 }

describe('a one-way request', () => {
  it('subscribes to each channel of the URL once', () => {
    expect(read('channel=a&channel=b&channel=a')).toEqual({
      kind: 'connect',
      channels: ['a', 'b'],
      connect: { type: 'connect', subscriptions: [{ channel: 'a' }, { channel: 'b' }] },
    })
  })

  it('takes the token from the URL, or rather from the header', () => {
    expect(read('channel=a&token=one')).toMatchObject({ connect: { token: 'one' } })
    expect(read('channel=a&token=one', { authorization: 'bearer two' })).toMatchObject({ connect: { token: 'two' } })
    expect(read('channel=a&token=one', { authorization: 'Basic abc' })).toMatchObject({ connect: { token: 'one' } })
  })

  it('filters by tags and asks for presence', () => {
    expect(read('channel=a&tag.level=high&tag.__proto__=x&presence=true')).toMatchObject({
      connect: {
        subscriptions: [
          {
            channel: 'a',
            presence: true,
            tags: Object.fromEntries([
              ['level', 'high'],
              ['__proto__', 'x'],
            ]),
          },
        ],
      },
    })
  })

  it('resumes the channels that the last event id names; new ones start fresh', () => {
    const expected = { connect: { subscriptions: [{ channel: 'a', since: { epoch: 'e', offset: 5 } }, { channel: 'b' }] } }
    expect(read('channel=a&channel=b', { 'last-event-id': idOf('a', 5) })).toMatchObject(expected)
    expect(read(`channel=a&channel=b&lastEventId=${idOf('a', 5)}`)).toMatchObject(expected)
  })

  it('believes the header before the URL, which a browser repeats unchanged', () => {
    expect(read(`channel=a&lastEventId=${idOf('a', 5)}`, { 'last-event-id': idOf('a', 9) })).toMatchObject({
      connect: { subscriptions: [{ since: { offset: 9 } }] },
    })
  })

  it('asks from a position that nobody has when the id cannot be read, so that the client is told', () => {
    for (const id of ['42', idOf('another', 5)]) {
      expect(read('channel=a', { 'last-event-id': id })).toMatchObject({
        connect: { subscriptions: [{ channel: 'a', since: LOST }] },
      })
    }
    expect(read('channel=a', { 'last-event-id': '' })).toEqual(read('channel=a'))
  })

  it('ends the reconnects of a stream that was told to stop, not a page that starts anew', () => {
    expect(read('channel=a', { 'last-event-id': idOf('a', 5, true) })).toEqual({ kind: 'stop' })
    expect(read(`channel=a&lastEventId=${idOf('a', 5, true)}`)).toMatchObject({
      connect: { subscriptions: [{ since: { offset: 5 } }] },
    })
  })

  it('refuses what a connect message may not hold either', () => {
    expect(() => read('channel=')).toThrow(MessageError)
    expect(() => read(`channel=${'x'.repeat(256)}`)).toThrow(MessageError)
    expect(() => read(`channel=a&token=${'x'.repeat(9_000)}`)).toThrow(MessageError)
    expect(() => read(`channel=a${Array.from({ length: 17 }, (_, i) => `&tag.${i}=1`).join('')}`)).toThrow(MessageError)
  })
})
