import type { Msg } from '@nats-io/transport-node'
import { describe, expect, it } from 'vitest'
import { PendingRequests } from './pending-requests.ts'

const request = (call: string, bytes = 1) => ({
  call,
  sentAt: 0,
  timeoutMs: 1_000,
  bytes,
  resolve: (_message: Msg) => undefined,
  reject: (_error: Error) => undefined,
})

const callsOf = (pending: PendingRequests): string[] => [...pending].map(({ call }) => call).sort()

describe('PendingRequests', () => {
  it('gives each request once, in whatever order they are answered', () => {
    const pending = new PendingRequests()
    const tokens = ['a', 'b', 'c'].map((call) => pending.add(request(call)))
    expect(pending.take(tokens[1] ?? '')?.call).toBe('b')
    expect(pending.take(tokens[1] ?? '')).toBeUndefined()
    expect(callsOf(pending)).toEqual(['a', 'c'])
    expect(pending.take(tokens[2] ?? '')?.call).toBe('c')
    expect(pending.take(tokens[0] ?? '')?.call).toBe('a')
    expect(callsOf(pending)).toEqual([])
  })

  it('does not take a late answer for that of the request in the same place', () => {
    const pending = new PendingRequests()
    const early = pending.add(request('early'))
    pending.take(early)
    const later = pending.add(request('later'))
    expect(later).not.toBe(early)
    expect(pending.take(early)).toBeUndefined()
    expect(pending.take(later)?.call).toBe('later')
  })

  it('begins anew with its places when many had waited at a time', () => {
    const pending = new PendingRequests()
    const tokens = Array.from({ length: 3_000 }, (_, index) => pending.add(request(`${index}`)))
    for (const token of tokens) expect(pending.take(token)).toBeDefined()
    const next = ['next', 'and next'].map((call) => pending.add(request(call)))
    expect(next.map((token) => Number.parseInt(token, 10))).toEqual([0, 1])
    for (const token of tokens) expect(pending.take(token)).toBeUndefined()
    expect(callsOf(pending)).toEqual(['and next', 'next'])
  })

  it('gives a place to the next request, though others never cease to be under way', () => {
    const pending = new PendingRequests()
    let last = pending.add(request('0'))
    for (let n = 1; n < 5_000; n++) {
      const next = pending.add(request(`${n}`))
      expect(Number.parseInt(next, 10)).toBeLessThan(2)
      pending.take(last)
      last = next
    }
    expect(callsOf(pending)).toEqual(['4999'])
  })

  it('knows nothing of tokens that it has not given', () => {
    const pending = new PendingRequests()
    pending.add(request('a'))
    for (const token of ['', '0', '0-', '1-1', '-1', 'x', '0-1.0']) expect(pending.take(token)).toBeUndefined()
    expect(callsOf(pending)).toEqual(['a'])
  })

  it('counts the bytes of those that are under way', () => {
    const pending = new PendingRequests()
    const token = pending.add(request('a', 5))
    pending.add(request('b', 7))
    expect(pending.bytes).toBe(12)
    pending.take(token)
    pending.take(token)
    expect(pending.bytes).toBe(7)
  })
})
