import { describe, expect, it } from 'vitest'
import { ClockWatch } from './clock-watch.ts'

describe('ClockWatch', () => {
  it('tells of a leap once, ahead and back, whoever looks first', () => {
    const watch = new ClockWatch(10_000, 3000)
    expect([watch.tick(10_250), watch.leapt(13_250), watch.leapt(13_251), watch.leapt(13_260)]).toEqual([
      false,
      false,
      true,
      false,
    ])
    expect([watch.tick(13_500), watch.tick(3000), watch.tick(3250)]).toEqual([false, true, false])
  })

  it('counts from the last tick, however often somebody looks in between', () => {
    const watch = new ClockWatch(0, 1000)
    expect([watch.leapt(400), watch.leapt(800), watch.leapt(1001)]).toEqual([false, false, true])
  })

  it.each([
    [1, 1000],
    [2000, 2000],
    [60_000, 5000],
  ])('with a heartbeat that may be late by %i ms takes more than %i ms for a leap', (pongTimeoutMs, gapMs) => {
    const watch = new ClockWatch(0, pongTimeoutMs)
    expect([watch.leapt(gapMs), watch.leapt(gapMs + 1)]).toEqual([false, true])
  })
})
