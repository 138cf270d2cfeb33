import type { Question } from '@fusewire/engine'
import { eventually } from '@fusewire/testkit'
import { Webhook } from 'standardwebhooks'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { HooksOptions } from './create-hooks.ts'
import { HookBackend } from './hook-backend.ts'
import type { HookFailure } from './hook-failure.ts'
import { hookOptionsOf } from './testing/hook-options.ts'
import { type BackendReply, HOOK_SECRET, TestBackend } from './testing/test-backend.ts'
import { WebhookSigner } from './webhook-signer.ts'

const QUESTION: Question = {
  event: 'publish',
  id: 'q1',
  time: 1_800_000_000_000,
  transport: 'tcp',
  remoteAddress: '::1',
  channel: 'chat:a',
  data: { text: 'hello' },
}

const ALLOWED = { body: '{"decision":"allow"}' }

let backend: TestBackend
let events: [event: string, details: Readonly<Record<string, unknown>>][]

const start = async (protocol: Parameters<typeof TestBackend.start>[0]): Promise<TestBackend> => {
  const started = await TestBackend.start(protocol)
  onTestFinished(() => started[Symbol.asyncDispose]())
  return started
}

beforeEach(async () => {
  events = []
  backend = await start('HTTP/2')
})

const hookTo = (
  { url, agent }: TestBackend,
  { secrets = [HOOK_SECRET], ...options }: Partial<HooksOptions> & { secrets?: readonly string[] } = {},
): HookBackend =>
  new HookBackend(url, hookOptionsOf([], options), {
    signer: new WebhookSigner(secrets),
    dispatcher: agent,
    userAgent: 'fusewire/test',
    log: (event, details) => events.push([event, details]),
  })

const inTime = (ms = 5000): AbortSignal => AbortSignal.timeout(ms)

const failureOf = async (asked: Promise<unknown>): Promise<HookFailure> => {
  const outcome = await asked.catch((error: unknown) => error)
  if (outcome instanceof Error && outcome.name === 'HookFailure') return outcome as HookFailure
  throw new Error(`no failure: ${JSON.stringify(outcome)}`)
}

/** Gives these replies, one after another, and the last one from then on. */
const reply = (...replies: readonly BackendReply[]): void => {
  let next = 0
  backend.respond = () => replies[Math.min(next++, replies.length - 1)] ?? ALLOWED
}

describe('a call', () => {
  it('goes over HTTP/2 where the backend speaks it, and over HTTP/1.1 otherwise', async () => {
    const versions = []
    for (const protocol of ['HTTP/2', 'HTTP/1.1', 'cleartext'] as const) {
      const one = await start(protocol)
      await hookTo(one).ask(QUESTION, inTime())
      versions.push(one.calls[0]?.httpVersion)
    }
    expect(versions).toEqual(['2.0', '1.1', '1.1'])
  })

  it('is the question as JSON, signed so that any library of Standard Webhooks can tell', async () => {
    expect(await hookTo(backend).ask(QUESTION, inTime())).toEqual({ decision: 'allow' })
    expect(backend.calls).toHaveLength(1)
    expect(backend.calls[0]).toMatchObject({
      verified: QUESTION,
      headers: { 'content-type': 'application/json', 'user-agent': 'fusewire/test', 'webhook-id': 'q1' },
    })
  })

  it('is signed with every secret, so that one can replace another', async () => {
    const newer = 'whsec_bmV3ZXItc2VjcmV0LW9mLTI0LWJ5dGVzLW9yLW1vcmU='
    await hookTo(backend, { secrets: [newer, HOOK_SECRET] }).ask(QUESTION, inTime())
    const [call] = backend.calls
    expect(call?.verified).toEqual(QUESTION)
    expect(new Webhook(newer).verify(call?.body ?? '', call?.headers ?? {})).toEqual(QUESTION)
  })

  it('of somebody who does not know the secret cannot be mistaken for ours', async () => {
    await hookTo(backend, { secrets: ['whsec_Zm9yZ2VkLXNlY3JldC1vZi0yNC1ieXRlcy1vci1tb3Jl'] }).ask(QUESTION, inTime())
    expect(backend.calls[0]?.verified).toBeUndefined()
  })

  it('has no signature without a secret', async () => {
    await hookTo(backend, { secrets: [] }).ask(QUESTION, inTime())
    expect(backend.calls[0]?.headers['webhook-signature']).toBeUndefined()
  })

  it('carries bytes as base64 text', async () => {
    await hookTo(backend).ask({ ...QUESTION, data: new Uint8Array([1, 2, 3]) }, inTime())
    expect(JSON.parse(backend.calls[0]?.body ?? '')).toMatchObject({ data: 'AQID' })
  })
})

describe('a question', () => {
  it.each([429, 502, 503, 504])('is repeated after %i, under the same id', async (status) => {
    reply({ status }, ALLOWED)
    expect(await hookTo(backend).ask(QUESTION, inTime())).toEqual({ decision: 'allow' })
    expect(backend.calls.map(({ headers }) => headers['webhook-id'])).toEqual(['q1', 'q1'])
    expect(backend.calls.map(({ verified }) => verified)).toEqual([QUESTION, QUESTION])
  })

  it('is repeated after a connection that broke', async () => {
    reply('reset', ALLOWED)
    expect(await hookTo(backend).ask(QUESTION, inTime())).toEqual({ decision: 'allow' })
  })

  it.each([
    [301, 'refused'],
    [400, 'refused'],
    [401, 'refused'],
    [404, 'refused'],
    [500, 'faulty'],
    [501, 'faulty'],
  ])('is not repeated after %i, which is %s', async (status, kind) => {
    reply({ status, headers: { location: '/elsewhere' } }, ALLOWED)
    expect(await failureOf(hookTo(backend).ask(QUESTION, inTime()))).toMatchObject({ kind })
    expect(backend.calls).toHaveLength(1)
  })

  it('is repeated no more often than hookRetries says', async () => {
    reply({ status: 503 })
    expect(await failureOf(hookTo(backend, { hookRetries: 3 }).ask(QUESTION, inTime()))).toMatchObject({ kind: 'unreachable' })
    expect(backend.calls).toHaveLength(4)
  })

  it('waits as long as Retry-After asks, and is not repeated when its time is over by then', async () => {
    reply({ status: 429, headers: { 'retry-after': '1' } }, ALLOWED)
    const startedAt = performance.now()
    expect(await hookTo(backend).ask(QUESTION, inTime())).toEqual({ decision: 'allow' })
    expect(performance.now() - startedAt).toBeGreaterThan(950)
    reply({ status: 503, headers: { 'retry-after': '1' } })
    expect(await failureOf(hookTo(backend).ask(QUESTION, inTime(300)))).toMatchObject({ kind: 'timeout' })
    expect(backend.calls).toHaveLength(3)
  })

  it('is not kept for a Retry-After that lies beyond its time', async () => {
    reply({ status: 429, headers: { 'retry-after': '3600' } })
    const hook = hookTo(backend, { hookTimeoutMs: 3000 })
    expect(await failureOf(hook.ask(QUESTION, inTime()))).toMatchObject({ kind: 'busy', message: 'answered 429' })
    expect(backend.calls).toHaveLength(1)
  })
})

describe('a backend', () => {
  it.each<[string, BackendReply, string, RegExp]>([
    ['says nothing', { body: '' }, 'malformed', /answered nothing/],
    ['answers 204', { status: 204 }, 'malformed', /answered nothing/],
    ['speaks HTML', { body: '<h1>It works!</h1>' }, 'malformed', /no JSON/],
    ['sends bytes that are no text', { body: Buffer.from([0xff, 0xfe, 0x00]) }, 'malformed', /no JSON/],
    ['sends more than it may', { body: `"${'x'.repeat(2000)}"` }, 'malformed', /more than 1000 bytes/],
    ['sends a failure without an end', { status: 418, body: 'x'.repeat(5_000_000) }, 'refused', /answered 418/],
    ['never answers', 'hang', 'timeout', /in time/],
    ['breaks the connection', 'reset', 'unreachable', /./],
  ])('that %s gets a failure that says so', async (_, answer, kind, message) => {
    reply(answer)
    const hook = hookTo(backend, { hookMaxAnswerBytes: 1000, hookRetries: 0 })
    const failure = await failureOf(hook.ask(QUESTION, answer === 'hang' ? inTime(500) : inTime()))
    expect(failure).toMatchObject({ kind, message: expect.stringMatching(message) })
    reply(ALLOWED)
    expect(await hook.ask(QUESTION, inTime())).toEqual({ decision: 'allow' })
  })

  it('that is not there is unreachable', async () => {
    await backend.vanish()
    expect(await failureOf(hookTo(backend, { hookRetries: 0 }).ask(QUESTION, inTime()))).toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('whose certificate nobody trusts is unreachable', async () => {
    const stranger = await start('HTTP/2')
    const hook = new HookBackend(backend.url, hookOptionsOf([], { hookRetries: 0 }), {
      signer: new WebhookSigner([]),
      dispatcher: stranger.agent,
      userAgent: '',
      log: () => {},
    })
    expect(await failureOf(hook.ask(QUESTION, inTime()))).toMatchObject({ kind: 'unreachable' })
    expect(backend.calls).toEqual([])
  })
})

it('every question is settled, and nothing is thrown past it, while an HTTP/2 backend cuts and resets what it can', async () => {
  const hook = hookTo(backend, { hookBreakerFailures: 10_000, hookRetries: 1 })
  const moods: BackendReply[] = ['reset', ALLOWED, 'hang', { body: 'x'.repeat(100_000) }, { status: 503 }, ALLOWED, ALLOWED]
  backend.respond = () => moods[Math.floor(Math.random() * moods.length)] ?? ALLOWED
  const outcomes = await Promise.allSettled(Array.from({ length: 300 }, () => hook.ask(QUESTION, inTime(1000))))
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ name: 'HookFailure' })
    else expect(outcome.value).toEqual({ decision: 'allow' })
  backend.respond = () => ALLOWED
  await eventually(() => hook.ask(QUESTION, inTime()))
}, 30_000)

describe('the circuit breaker', () => {
  const LIMITS = { hookBreakerFailures: 3, hookBreakerResetMs: 200, hookRetries: 0 }

  it('opens after failures in a row, lets one call through after a while, and closes when that succeeds', async () => {
    const hook = hookTo(backend, LIMITS)
    reply({ status: 500 })
    for (let n = 0; n < 3; n++) expect(await failureOf(hook.ask(QUESTION, inTime()))).toMatchObject({ kind: 'faulty' })
    expect(hook.state).toBe('open')
    expect(await failureOf(hook.ask(QUESTION, inTime()))).toMatchObject({ kind: 'broken' })
    expect(backend.calls).toHaveLength(3)

    // Half open: the next call is the probe, and it fails.
    await eventually(async () => (await failureOf(hook.ask(QUESTION, inTime()))).kind === 'faulty')
    expect(backend.calls).toHaveLength(4)
    expect(hook.state).toBe('open')

    reply(ALLOWED)
    await eventually(() => hook.ask(QUESTION, inTime()))
    expect(hook.state).toBe('closed')
    expect(events.map(([event]) => event)).toEqual(['hook_breaker_opened', 'hook_breaker_opened', 'hook_breaker_closed'])
  })

  it('is shared by questions and notices of one address', async () => {
    const hook = hookTo(backend, LIMITS)
    reply({ status: 503 })
    for (let n = 0; n < 3; n++)
      await failureOf(hook.deliver([{ event: 'channel_vacated', id: `n${n}`, time: 0, channel: 'a' }], inTime()))
    expect(await failureOf(hook.ask(QUESTION, inTime()))).toMatchObject({ kind: 'broken' })
  })

  it('counts what shows that the backend is not there, not what it refuses or garbles', async () => {
    const hook = hookTo(backend, LIMITS)
    reply({ status: 400 }, { status: 429 }, { body: 'x' }, { status: 404 }, { body: '' })
    for (let n = 0; n < 5; n++) await failureOf(hook.ask(QUESTION, inTime()))
    expect(hook.state).toBe('closed')
    reply('hang')
    for (let n = 0; n < 3; n++) await failureOf(hook.ask(QUESTION, inTime(50)))
    expect(hook.state).toBe('open')
  })
})

it('is named without its query, which may carry a secret', () => {
  const hook = new HookBackend('https://app.example.com/hooks?key=secret', hookOptionsOf(), {
    signer: new WebhookSigner([]),
    dispatcher: backend.agent,
    userAgent: '',
    log: () => {},
  })
  expect(hook.name).toBe('https://app.example.com/hooks')
})
