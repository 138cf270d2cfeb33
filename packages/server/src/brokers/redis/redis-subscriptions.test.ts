import { expect, it } from 'vitest'
import { unavailable } from './redis-error.ts'
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
