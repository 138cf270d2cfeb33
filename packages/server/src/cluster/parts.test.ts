import { expect, it } from 'vitest'
import { PART_BYTES, Parts, splitPayload } from './parts.ts'

const part = (message: number, index: number, count: number, bytes = Uint8Array.of(index)) =>
  ({ type: 'part', from: 'a', message, index, count, bytes }) as const
const open = (limits = {}) => new Parts({ maxMessageBytes: 10, maxWaitingBytes: 15, timeoutMs: 1000, ...limits })

it('puts together what was split, with others in between', () => {
  const parts = open()
  expect(parts.add(part(1, 0, 3), 0)).toBeUndefined()
  expect(parts.add(part(2, 0, 2), 0)).toBeUndefined()
  expect(parts.add({ ...part(1, 0, 2), from: 'b' }, 0)).toBeUndefined()
  expect(parts.add(part(1, 1, 3), 0)).toBeUndefined()
  expect(parts.add(part(2, 1, 2), 0)).toEqual(Buffer.of(0, 1))
  expect(parts.add(part(1, 2, 3), 0)).toEqual(Buffer.of(0, 1, 2))
})

it('splits into what the bus takes', () => {
  const payload = Buffer.alloc(2 * PART_BYTES + 1, 7)
  const parts = splitPayload(payload)
  expect(parts.map(({ byteLength }) => byteLength)).toEqual([PART_BYTES, PART_BYTES, 1])
  expect(Buffer.concat(parts).equals(payload)).toBe(true)
})

it('drops a message of which a part is missing, and takes the next one', () => {
  const parts = open()
  parts.add(part(1, 0, 3), 0)
  expect(parts.add(part(1, 2, 3), 0)).toBe('out_of_order')
  expect(parts.add(part(1, 1, 3), 0)).toBe('out_of_order')
  parts.add(part(1, 0, 3), 0)
  expect(parts.add(part(1, 1, 4), 0)).toBe('out_of_order')
  parts.add(part(1, 0, 2), 0)
  expect(parts.add(part(1, 1, 2), 0)).toEqual(Buffer.of(0, 1))
})

it('holds no more bytes than allowed, of one message and of all', () => {
  const parts = open()
  parts.add(part(1, 0, 3, Buffer.alloc(10)), 0)
  expect(parts.add(part(1, 1, 3, Buffer.alloc(1)), 0)).toBe('too_large')
  parts.add(part(2, 0, 2, Buffer.alloc(8)), 0)
  expect(parts.add(part(3, 0, 2, Buffer.alloc(8)), 0)).toBe('too_large')
  parts.add(part(2, 1, 2), 0)
  expect(parts.add(part(3, 0, 2, Buffer.alloc(8)), 0)).toBeUndefined()
})

it('forgets what does not come to its end', () => {
  const parts = open()
  parts.add(part(1, 0, 2, Buffer.alloc(8)), 0)
  parts.sweep(999)
  expect(parts.add(part(2, 0, 2, Buffer.alloc(8)), 999)).toBe('too_large')
  parts.sweep(1000)
  expect(parts.add(part(2, 0, 2, Buffer.alloc(8)), 1000)).toBeUndefined()
  expect(parts.add(part(1, 1, 2), 1000)).toBe('out_of_order')
})
