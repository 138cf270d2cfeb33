import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { unavailable } from './redis-error.ts'
import type { ChannelKind } from './redis-link.ts'
import { RedisSubscriptions } from './redis-subscriptions.ts'

const NOBODY = { message: () => undefined, lapsed: () => undefined }

it('refuses a channel whose connection ends before it can be asked for', async () => {
  let problem: ReturnType<typeof unavailable> | undefined
  const subscriptions = new RedisSubscriptions({
    linkOf: () => undefined,
    slotOf: () => 0,
    problem: () => problem,
    misrouted: () => undefined,
  })
  const subscribing = subscriptions.subscribe('a', NOBODY)
  problem = unavailable('away')
  await expect(subscribing).rejects.toBe(problem)
  await expect(subscriptions.subscribe('a', NOBODY)).rejects.toBe(problem)
})

describe('a channel that is refused when it is to be subscribed again', () => {
  let asked: number
  let isRefused: boolean
  let told: string[]
  let subscriptions: RedisSubscriptions
  const link = {
    name: 'redis',
    isUp: true,
    subscribe: async () => {
      asked++
      if (isRefused) throw new Error('NOPERM this user has no permissions to access one of the channels')
    },
    unsubscribe: async () => undefined,
  }
  const listener = { message: () => undefined, lapsed: () => told.push('lapsed'), refused: () => told.push('refused') }

  beforeEach(() => {
    vi.useFakeTimers()
    asked = 0
    isRefused = false
    told = []
    subscriptions = new RedisSubscriptions({
      linkOf: () => link,
      slotOf: () => 0,
      problem: () => undefined,
      misrouted: () => undefined,
    })
  })
  afterEach(() => {
    subscriptions.close(unavailable('closed'))
    vi.useRealTimers()
  })

  const lose = async (kind: ChannelKind): Promise<void> => {
    const subscribed = subscriptions.subscribe('a', listener, kind)
    await vi.advanceTimersByTimeAsync(10)
    await subscribed
    isRefused = true
    subscriptions.down(link, unavailable('away'))
    await vi.advanceTimersByTimeAsync(10_000)
  }

  it('is given up where it tells of a key, and may be wanted again', async () => {
    await lose('keyspace')
    expect([asked, told]).toEqual([2, ['refused']])
    isRefused = false
    const again = subscriptions.subscribe('a', listener, 'keyspace')
    await vi.advanceTimersByTimeAsync(10)
    await again
    expect([asked, told]).toEqual([3, ['refused']])
  })

  it('is tried until it is subscribed where others publish in it', async () => {
    await lose('sharded')
    expect(asked).toBeGreaterThan(10)
    isRefused = false
    await vi.advanceTimersByTimeAsync(1000)
    expect(told).toEqual(['lapsed'])
  })
})
