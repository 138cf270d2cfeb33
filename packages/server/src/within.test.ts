import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { within } from './within.ts'

describe('within', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const late = (): never => {
    throw new Error('late')
  }

  it('settles as work does that is done in time, and leaves no timer', async () => {
    expect(await within(Promise.resolve('done'), 1000, late)).toBe('done')
    expect(await within('there already', 1000, late)).toBe('there already')
    await expect(within(Promise.reject(new Error('failed')), 1000, late)).rejects.toThrow('failed')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('settles as is said for work that is not, whatever becomes of it', async () => {
    let fail: (error: Error) => void = () => undefined
    const work = new Promise<string>((_, reject) => {
      fail = reject
    })
    const answers = Promise.allSettled([within(work, 1000, () => 'late'), within(work, 2000, late)])
    await vi.advanceTimersByTimeAsync(2000)
    fail(new Error('nobody hears of it'))
    expect(await answers).toMatchObject([{ value: 'late' }, { reason: { message: 'late' } }])
    expect(vi.getTimerCount()).toBe(0)
  })
})
