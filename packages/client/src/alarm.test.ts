import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Alarm } from './alarm.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('it rings once, at the time it was set to last', () => {
  const ring = vi.fn()
  const alarm = new Alarm(ring)
  alarm.set(Date.now() + 100)
  alarm.set(Date.now() + 300)
  vi.advanceTimersByTime(299)
  expect(ring).not.toHaveBeenCalled()
  vi.advanceTimersByTime(10_000)
  expect(ring).toHaveBeenCalledOnce()
})

test('an earlier time is taken, a later one is not', () => {
  const ring = vi.fn()
  const alarm = new Alarm(ring)
  alarm.setNoLaterThan(Date.now() + 200)
  alarm.setNoLaterThan(Date.now() + 500)
  alarm.setNoLaterThan(Date.now() + 100)
  vi.advanceTimersByTime(100)
  expect(ring).toHaveBeenCalledOnce()
  expect(vi.getTimerCount()).toBe(0)
})

test('a time that has passed rings at once, and Node is not asked to wait for less than nothing', async () => {
  // A spy on a clock of a test would put that back when it is restored, for whatever comes next in this process.
  vi.useRealTimers()
  const setTimeout = vi.spyOn(globalThis, 'setTimeout')
  const ring = vi.fn()
  new Alarm(ring).set(Date.now() - 50)
  expect(setTimeout).toHaveBeenCalledExactlyOnceWith(expect.any(Function), 0)
  setTimeout.mockRestore()
  await expect.poll(() => ring).toHaveBeenCalledOnce()
})

test('it rings after months, which setTimeout cannot count', () => {
  const ring = vi.fn()
  const alarm = new Alarm(ring)
  const ninetyDays = 90 * 86_400_000
  alarm.set(Date.now() + ninetyDays)
  vi.advanceTimersByTime(ninetyDays - 1)
  expect(ring).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(ring).toHaveBeenCalledOnce()
})

test('nothing is left behind by an alarm that is cleared, or set to never', () => {
  const alarm = new Alarm(() => expect.unreachable())
  alarm.set(Date.now() + 100)
  alarm.clear()
  alarm.set(Number.POSITIVE_INFINITY)
  expect(vi.getTimerCount()).toBe(0)
})
