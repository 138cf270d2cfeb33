import { expect, it } from 'vitest'
import { DIALECTS } from './dialect.ts'

/** The text of a client's frame of less than 64 KiB, whose mask is zeros. */
const textOf = (frame: Buffer): string => {
  const isShort = ((frame[1] ?? 0) & 0x7f) < 126
  return frame.toString('utf8', isShort ? 6 : 8)
}

it('speaks the packets of Engine.IO 4 and Socket.IO 5', () => {
  const { handshake, subscribe, publish, echo, path } = DIALECTS['socket.io']
  expect(path).toContain('EIO=4&transport=websocket')
  expect(handshake.frames.map(textOf)).toEqual(['40'])
  expect(subscribe(['a', 'b']).map(textOf)).toEqual(['42["subscribe",["a","b"]]'])
  expect(textOf(echo('x'))).toBe('42["echo","x"]')
  const packet = textOf(publish('a', 'x'))
  expect(packet.slice(0, 2)).toBe('42')
  expect(JSON.parse(packet.slice(2))).toMatchObject(['publish', 'a', { type: 'publication', channel: 'a', data: 'x' }])
})

it('has every server send as many bytes a publication', () => {
  const lengthOf = (name: 'plain' | 'socket.io'): number => {
    const text = textOf(DIALECTS[name].publish('a', 'x'.repeat(100)))
    const published = name === 'plain' ? text.slice(text.indexOf('\n') + 1) : JSON.stringify(JSON.parse(text.slice(2))[2])
    return published.length
  }
  expect(lengthOf('plain')).toBe(lengthOf('socket.io'))
})

it('makes as many subscriptions at once as a connect may have, and the others after it', () => {
  const frames = DIALECTS.fusewire.subscribe(Array.from({ length: 1002 }, (_, index) => `c${index}`)).map(textOf)
  expect(frames).toHaveLength(3)
  expect(JSON.parse(frames[0] ?? '').subscriptions).toHaveLength(1000)
  expect(frames.slice(1).map((frame) => JSON.parse(frame))).toEqual([
    { type: 'subscribe', channel: 'c1000' },
    { type: 'subscribe', channel: 'c1001' },
  ])
})
