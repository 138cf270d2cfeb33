import type { Notice } from '@fusewire/engine'
import { eventually } from '@fusewire/testkit'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { HookFailure } from './hook-failure.ts'
import { HookStats } from './hook-stats.ts'
import type { HookTarget } from './hook-target.ts'
import { NoticeQueue, type NoticeQueueLimits } from './notice-queue.ts'

const LIMITS: NoticeQueueLimits = { hookQueueSize: 1000, hookQueueTtlMs: 60_000, hookBatchDelayMs: 5, hookTimeoutMs: 1000 }

let stats: HookStats
let events: [event: string, details: Readonly<Record<string, unknown>>][]
let batches: string[][]
let fail: (attempt: number) => HookFailure | undefined

beforeEach(() => {
  stats = new HookStats()
  events = []
  batches = []
  fail = () => undefined
})

let count = 0
const notice = (age = 0): Notice => ({ event: 'channel_vacated', id: `n${++count}`, time: Date.now() - age, channel: 'a' })

const open = (limits: Partial<NoticeQueueLimits> = {}, batchSize = 3): NoticeQueue => {
  let attempts = 0
  const target: HookTarget = {
    name: 'test',
    batchSize,
    ask: () => Promise.reject(new Error('nobody asks')),
    deliver: async (notices) => {
      batches.push(notices.map(({ id }) => id))
      const failure = fail(++attempts)
      if (failure) throw failure
    },
  }
  const queue = new NoticeQueue(target, { ...LIMITS, ...limits }, stats, (event, details) => events.push([event, details]))
  onTestFinished(() => queue.close())
  return queue
}

const push = (queue: NoticeQueue, amount: number): string[] =>
  Array.from({ length: amount }, () => {
    const one = notice()
    queue.push(one)
    return one.id
  })

const unreachable = (): HookFailure => new HookFailure('unreachable', 'gone')

describe('batches', () => {
  it('are as large as allowed, and the last one does not wait for long', async () => {
    const ids = push(open(), 7)
    await eventually(() => expect(batches).toEqual([ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)]))
    expect(stats.queued).toBe(0)
    expect([...stats.snapshot().calls]).toEqual([{ event: 'channel_vacated', outcome: 'told', count: 7 }])
  })

  it('leave as soon as they are full, without the delay', async () => {
    const queue = open({ hookBatchDelayMs: 60_000 })
    push(queue, 2)
    expect(batches).toEqual([])
    push(queue, 1)
    await eventually(() => expect(batches).toHaveLength(1))
  })

  it('that fail are told again as they were, though more has come', async () => {
    fail = (attempt) => (attempt <= 2 ? unreachable() : undefined)
    const queue = open()
    const first = push(queue, 2)
    await eventually(() => batches.length === 1)
    const later = push(queue, 2)
    await eventually(() => expect(batches).toEqual([first, first, first, later]))
    expect(events.map(([event]) => event)).toEqual(['hook_delivery_failed', 'hook_delivery_resumed'])
  })
})

describe('what cannot be told', () => {
  it('is kept until it is too old, counted and logged', async () => {
    fail = unreachable
    const queue = open({ hookQueueTtlMs: 100 })
    push(queue, 4)
    await eventually(() => expect(stats.dropped.too_old).toBe(4))
    expect(queue.size).toBe(0)
    expect(stats.queued).toBe(0)
    await queue.close()
    const dropped = events.filter(([event]) => event === 'hook_notices_dropped')
    expect(dropped.every(([, { reason }]) => reason === 'too_old')).toBe(true)
    expect(dropped.reduce((sum, [, { count }]) => sum + Number(count), 0)).toBe(4)
  })

  it('drops the oldest of a batch alone, and tells the rest under another name', async () => {
    fail = (attempt) => (attempt === 1 ? unreachable() : undefined)
    const queue = open({ hookQueueTtlMs: 2000 })
    const old = notice(1950)
    queue.push(old)
    const [young = ''] = push(queue, 1)
    await eventually(() => expect(batches.at(-1)).toContain(young))
    await eventually(() => expect(queue.size).toBe(0))
    expect(
      stats.dropped.too_old + stats.snapshot().calls.reduce((sum, call) => sum + (call.outcome === 'told' ? call.count : 0), 0),
    ).toBe(2)
  })

  it('gives way, the oldest first, when there is too much of it', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const heard: string[] = []
    const queue = new NoticeQueue(
      {
        name: 'test',
        batchSize: 1,
        ask: () => Promise.reject(new Error('nobody asks')),
        deliver: async ([first]) => {
          await held
          heard.push(first?.id ?? '')
        },
      },
      { ...LIMITS, hookQueueSize: 3 },
      stats,
      (event, details) => events.push([event, details]),
    )
    onTestFinished(() => queue.close())
    const ids = push(queue, 10)
    expect(queue.size).toBe(3)
    expect(stats).toMatchObject({ queued: 3, dropped: { queue_full: 7 } })
    release()
    await eventually(() => expect(heard).toEqual([ids[0], ids[8], ids[9]]))
    await queue.close()
    expect(events.filter(([event]) => event === 'hook_notices_dropped').map(([, { count }]) => count)).toEqual([1, 6])
  })

  it('is dropped at once when the backend refuses it, and what follows is told', async () => {
    fail = (attempt) => (attempt === 1 ? new HookFailure('refused', 'answered 400') : undefined)
    const queue = open()
    const ids = push(queue, 5)
    await eventually(() => expect(batches).toEqual([ids.slice(0, 3), ids.slice(3)]))
    await eventually(() => expect(queue.size).toBe(0))
    expect(stats.dropped.refused).toBe(3)
  })
})

describe('the end', () => {
  it('tells everything that waits first, if that can be', async () => {
    const queue = open({ hookBatchDelayMs: 60_000 })
    const ids = push(queue, 2)
    await queue.flush(5000)
    expect(batches).toEqual([ids])
  })

  it('comes when it must, with a line that says how much was lost', async () => {
    fail = unreachable
    const queue = open()
    push(queue, 5)
    await eventually(() => batches.length > 0)
    await queue.flush(20)
    await queue.close()
    await queue.close()
    expect(stats).toMatchObject({ queued: 0, dropped: { closed: 5 } })
    expect(events.at(-1)).toEqual(['hook_notices_dropped', { hook: 'test', reason: 'closed', count: 5, waiting: 0 }])
    push(queue, 1)
    expect(stats.dropped.closed).toBe(6)
  })

  it('flushes at once when there is nothing', async () => {
    await open().flush(60_000)
  })
})
