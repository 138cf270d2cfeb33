import type { Notice, Questions } from '@fusewire/engine'
import { eventually } from '@fusewire/testkit'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { type CreatedHooks, createHooks, type HooksOptions } from './create-hooks.ts'
import { HandlerTarget } from './handler-target.ts'
import { hookOptionsOf } from './testing/hook-options.ts'
import { TestBackend } from './testing/test-backend.ts'

const CLIENT = { transport: 'tcp', remoteAddress: '::1' } as const

const publish = (channel = 'chat:a'): Questions['publish'] => ({
  event: 'publish',
  id: 'q',
  time: 0,
  ...CLIENT,
  channel,
  data: 1,
})

const vacated = (n: number): Notice => ({ event: 'channel_vacated', id: `n${n}`, time: Date.now(), channel: 'a' })

let events: [event: string, details: Readonly<Record<string, unknown>>][]

beforeEach(() => {
  events = []
})

const create = (options: Partial<HooksOptions> = {}): CreatedHooks => {
  const created = createHooks(hookOptionsOf(options.hooks, options), '1.2.3', (event, details) => events.push([event, details]))
  onTestFinished(() => created.close(0))
  return created
}

const backend = async (): Promise<TestBackend> => {
  const started = await TestBackend.start('cleartext')
  onTestFinished(() => started[Symbol.asyncDispose]())
  return started
}

describe('several hooks', () => {
  it('decide by the first that matches, those of the options before those of the program', async () => {
    const own = await backend()
    const { hooks } = create({ hooks: [{ url: own.url, events: ['publish'], channels: 'chat:*' }] })
    hooks.add(['publish'], undefined, new HandlerTarget(() => ({ decision: 'skip' })))
    expect(await hooks.ask(publish('chat:a'))).toEqual({ decision: 'allow' })
    expect(await hooks.ask(publish('news'))).toEqual({ decision: 'skip' })
    expect(own.calls).toHaveLength(1)
  })

  it('all hear, and one that fails holds no other up', async () => {
    const { hooks } = create()
    const heard: string[] = []
    hooks.add(
      ['channel_vacated'],
      undefined,
      new HandlerTarget(() => {
        throw new Error('out of order')
      }),
    )
    hooks.add(['channel_vacated'], undefined, new HandlerTarget(({ id }: { id: string }) => heard.push(id)))
    for (let n = 0; n < 3; n++) hooks.tell(vacated(n))
    await eventually(() => expect(heard).toEqual(['n0', 'n1', 'n2']))
  })
})

it('an address that stands in several hooks hears everything once, in its order', async () => {
  const own = await backend()
  own.respond = () => ({ status: 204 })
  const { hooks, snapshot } = create({
    hooks: [
      { url: own.url, events: ['channel_vacated', 'channel_occupied'], channels: 'a*' },
      { url: own.url, events: ['channel_vacated', 'channel_occupied'] },
    ],
    hookBatchSize: 1,
  })
  const told = ['a1', 'b1', 'a2', 'b2'].map((channel, n) => ({ ...vacated(n), channel }) as Notice)
  for (const notice of told) hooks.tell(notice)
  await eventually(() => expect(snapshot().queued).toBe(0))
  expect(own.calls.map(({ verified }) => (verified as { events: Notice[] }).events)).toEqual(told.map((notice) => [notice]))
})

describe('when the application cannot be asked', () => {
  const failing = new HandlerTarget(() => {
    throw new Error('out of order')
  })

  it('the log says why, and so much that it can be mended', async () => {
    const { hooks } = create()
    hooks.add(['publish'], undefined, new HandlerTarget(() => ({ decision: 'deny', code: 'nope' })))
    await expect(hooks.ask(publish())).rejects.toMatchObject({ code: 'hook_unavailable' })
    expect(events).toEqual([
      [
        'hook_failed',
        {
          hook: 'handler',
          event: 'publish',
          kind: 'malformed',
          error: expect.objectContaining({
            message: expect.stringMatching(/code: Invalid option: expected one of "permission_denied"/u),
          }),
        },
      ],
    ])
  })

  it('hookFailure: allow lets through what the rules allow, and nothing that only it could know', async () => {
    const { hooks } = create({ hookFailure: 'allow' })
    hooks.add(['connect', 'refresh', 'subscribe', 'publish', 'rpc'], undefined, failing)
    const stamp = { id: 'q', time: 0, ...CLIENT }
    expect(await hooks.ask(publish())).toEqual({ decision: 'allow' })
    expect(await hooks.ask<'subscribe'>({ event: 'subscribe', ...stamp, channel: 'a' })).toEqual({ decision: 'allow' })
    expect(await hooks.ask<'connect'>({ event: 'connect', ...stamp })).toEqual({ decision: 'allow' })
    await expect(hooks.ask<'connect'>({ event: 'connect', ...stamp, token: 't' })).rejects.toMatchObject({
      code: 'hook_unavailable',
    })
    await expect(hooks.ask<'refresh'>({ event: 'refresh', ...stamp, token: 't' })).rejects.toMatchObject({
      code: 'hook_unavailable',
    })
    await expect(hooks.ask<'rpc'>({ event: 'rpc', ...stamp, method: 'm' })).rejects.toMatchObject({ code: 'hook_unavailable' })
  })

  it('it is counted, by event and outcome', async () => {
    const { hooks, snapshot } = create({ hookMaxConcurrent: 1 })
    hooks.add(['publish'], 'chat:*', failing)
    hooks.add(['publish'], undefined, new HandlerTarget(() => ({ decision: 'deny' })))
    await Promise.allSettled([hooks.ask(publish('news')), hooks.ask(publish('news'))])
    await Promise.allSettled([hooks.ask(publish())])
    expect(snapshot()).toMatchObject({
      pending: 0,
      calls: [
        { event: 'publish', outcome: 'overloaded', count: 1 },
        { event: 'publish', outcome: 'deny', count: 1 },
        { event: 'publish', outcome: 'failed', count: 1 },
      ],
      durationMs: { publish: expect.any(Number) },
    })
  })

  it('a backend that nobody can reach is left alone, without a line for each question', async () => {
    const gone = await backend()
    await gone.vanish()
    const { hooks, snapshot } = create({
      hooks: [{ url: gone.url, events: ['publish'] }],
      hookBreakerFailures: 2,
      hookRetries: 0,
    })
    for (let n = 0; n < 10; n++) await expect(hooks.ask(publish())).rejects.toMatchObject({ code: 'hook_unavailable' })
    expect(events.map(([event]) => event)).toEqual(['hook_failed', 'hook_breaker_opened', 'hook_failed'])
    expect(snapshot().breakers).toEqual(['open'])
  })
})

describe('notices', () => {
  it('survive a backend that is away for a while: each arrives at least once, in order, signed', async () => {
    const app = await backend()
    app.respond = () => ({ status: 204 })
    const { hooks, snapshot } = create({
      hooks: [{ url: app.url, events: ['channel_vacated'] }],
      hookBatchSize: 7,
      hookBatchDelayMs: 1,
      hookBreakerFailures: 2,
      hookBreakerResetMs: 50,
    })
    const told: string[] = []
    const tell = (count: number): void => {
      for (let n = 0; n < count; n++) {
        const notice = vacated(told.length)
        told.push(notice.id)
        hooks.tell(notice)
      }
    }
    const heard = (): string[] =>
      app.calls.flatMap(({ verified }) => (verified as { events: Notice[] }).events.map(({ id }) => id))

    tell(20)
    await eventually(() => expect(heard()).toHaveLength(20))
    // One that is on its way when the backend goes may have arrived, or not.
    app.respond = () => 'reset'
    tell(20)
    await eventually(() => app.calls.length > 3)
    await app.vanish()
    tell(100)
    await eventually(() => events.some(([event]) => event === 'hook_breaker_opened'))
    app.respond = () => ({ status: 204 })
    await app.listen()
    tell(20)
    await eventually(() => expect(snapshot().queued).toBe(0), { timeoutMs: 30_000 })
    expect([...new Set(heard())]).toEqual(told)
    expect(snapshot().dropped).toEqual({ queue_full: 0, too_old: 0, refused: 0, closed: 0 })
    expect(snapshot().breakers).toEqual(['closed'])
  }, 40_000)

  it('are told before the end, and what cannot be is counted', async () => {
    const app = await backend()
    app.respond = () => ({ status: 204 })
    const { hooks, snapshot, close } = create({
      hooks: [{ url: app.url, events: ['channel_vacated'] }],
      hookBatchDelayMs: 60_000,
    })
    hooks.tell(vacated(1))
    await close(5000)
    expect(app.calls).toHaveLength(1)
    hooks.tell(vacated(2))
    expect(snapshot().dropped.closed).toBe(1)
  })
})
