import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Drain } from './drain.ts'

const TIMES = { drainDelayMs: 1000, drainWindowMs: 5000, drainTimeoutMs: 10_000 }

/** What was done, with the time since the beginning. */
let done: [what: string, at: number][]
let gone: () => void
let drain: Drain

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  const beganAt = performance.now()
  done = []
  const note = (what: string) => {
    done.push([what, performance.now() - beganAt])
  }
  drain = new Drain(TIMES, {
    stop: () => note('stop'),
    move: (windowMs) => note(`move over ${windowMs}`),
    end: () => {
      note('end')
      return new Promise((resolve) => {
        gone = resolve
      })
    },
    cut: () => note('cut'),
    release: async (leftMs) => note(`release within ${leftMs}`),
  })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a drain', () => {
  it('gives load balancers the delay and clients the window, and resolves when all have gone', async () => {
    const ended = drain.begin()
    expect(drain.state).toBe('announced')
    await vi.advanceTimersByTimeAsync(7000)
    expect(drain.state).toBe('ending')
    gone()
    await ended
    expect(done).toEqual([
      ['stop', 1000],
      ['move over 5000', 1000],
      ['end', 6000],
      ['release within 3000', 7000],
    ])
    expect(drain.state).toBe('closed')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('cuts what has not gone when its time is over, and not before', async () => {
    drain.begin()
    await vi.advanceTimersByTimeAsync(9999)
    expect(done.at(-1)?.[0]).toBe('end')
    await vi.advanceTimersByTimeAsync(1)
    expect(done.at(-1)).toEqual(['cut', 10_000])
  })

  it('ends the window when nobody is left in it', async () => {
    drain.begin()
    await vi.advanceTimersByTimeAsync(1500)
    drain.left()
    expect(done.at(-1)).toEqual(['end', 1500])
  })

  it('can be hurried by close, which keeps the deadline of the whole', async () => {
    drain.begin()
    await vi.advanceTimersByTimeAsync(2000)
    const closed = drain.close()
    expect(done.at(-1)).toEqual(['end', 2000])
    await vi.advanceTimersByTimeAsync(8000)
    expect(done.at(-1)).toEqual(['cut', 10_000])
    gone()
    await closed
  })

  it('is one, however often it is asked for', async () => {
    const ended = [drain.begin(), drain.begin(), drain.close(), drain.begin()]
    gone()
    await Promise.all(ended)
    await drain.close()
    expect(done.map(([what]) => what)).toEqual(['stop', 'end', 'release within 10000'])
  })

  it('tells who waits for it that something could not be given back', async () => {
    const failing = new Drain(TIMES, {
      stop: () => {},
      move: () => {},
      end: async () => {},
      cut: () => {},
      release: () => Promise.reject(new Error('no way')),
    })
    await expect(failing.close()).rejects.toThrow('no way')
    await expect(failing.done).rejects.toThrow('no way')
  })
})
