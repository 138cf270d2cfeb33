import { encodeMsgpack } from '@fusewire/protocol/msgpack'
import { describe, expect, it } from 'vitest'
import { BUS_VERSION, type BusMessage, decodeBusMessage, encodeBusMessage } from './bus-message.ts'
import { factsOf } from './testing/test-cluster.ts'

const framed = (value: unknown, version: number = BUS_VERSION): Uint8Array => Uint8Array.of(version, ...encodeMsgpack(value))

const MESSAGES: readonly BusMessage[] = [
  { type: 'alive', from: 'a', facts: factsOf('a') },
  { type: 'who', from: 'a', facts: factsOf('a', { worker: 2, state: 'draining' }) },
  { type: 'left', from: 'a' },
  { type: 'call', from: 'a', id: 1, name: 'disconnect', data: { user: 'ada' } },
  { type: 'answer', from: 'a', id: 1, data: null },
  { type: 'failure', from: 'a', id: 1, code: 'overloaded', message: 'busy', retryAfterMs: 5 },
  { type: 'notice', from: 'a', name: 'poll_end', data: [1] },
  { type: 'part', from: 'a', message: 1, index: 0, count: 2, bytes: Uint8Array.of(1, 2) },
]

describe('messages between nodes', () => {
  it.each(MESSAGES.map((message) => [message.type, message] as const))('carries %s', (_type, message) => {
    expect(decodeBusMessage(encodeBusMessage(message))).toEqual(message)
  })

  it('leaves alone what is of a newer version', () => {
    expect(decodeBusMessage(framed(MESSAGES[0], BUS_VERSION + 1))).toBe('version')
    expect(decodeBusMessage(Uint8Array.of(255))).toBe('version')
  })

  it('leaves out fields that it does not know', () => {
    expect(decodeBusMessage(framed({ ...MESSAGES[2], reason: 'new' }))).toEqual(MESSAGES[2])
    const alive = { type: 'alive', from: 'a', facts: { ...factsOf('a'), mood: 'new' } }
    expect(decodeBusMessage(framed(alive))).toEqual(MESSAGES[0])
  })

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['no body', Uint8Array.of(BUS_VERSION)],
    ['no MessagePack', Uint8Array.of(BUS_VERSION, 0xc1)],
    ['version 0', framed(MESSAGES[2], 0)],
    ['two messages', Uint8Array.of(...framed(MESSAGES[2]), ...encodeMsgpack(MESSAGES[2]))],
    ['a message that was cut', encodeBusMessage({ type: 'left', from: 'a' }).subarray(0, -1)],
    ['another type', framed({ type: 'shout', from: 'a' })],
    ['no sender', framed({ type: 'left' })],
    ['a sender without a name', framed({ type: 'left', from: '' })],
    ['a sender with an endless name', framed({ type: 'left', from: 'x'.repeat(65) })],
    ['an id that is none', framed({ type: 'call', from: 'a', id: -1, name: 'x', data: null })],
    ['facts of another node', framed({ type: 'alive', from: 'b', facts: factsOf('a') })],
    ['facts that are wrong', framed({ type: 'alive', from: 'a', facts: { ...factsOf('a'), connections: -1 } })],
    ['bytes that are text', framed({ type: 'part', from: 'a', message: 1, index: 0, count: 2, bytes: 'x' })],
    ['a list', framed([1])],
    [
      'deep nesting',
      framed({ type: 'notice', from: 'a', name: 'x', data: Array.from({ length: 40 }).reduce((deep) => [deep], 1) }),
    ],
  ])('refuses %s', (_name, bytes) => {
    expect(decodeBusMessage(bytes)).toBe('malformed')
  })
})
