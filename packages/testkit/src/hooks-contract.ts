import type { Answers, Awaitable, DecidingEvent, Hooks, Notice, Question, Questions } from '@fusewire/engine'
import { ERRORS, FusewireError } from '@fusewire/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'

/** What the hooks under test lead to. Either method may throw: then the application has failed. */
export interface ContractApplication {
  decide(question: Question): unknown
  hear(notice: Notice): Awaitable<void>
}

/** How the hooks under test are to be made: for `publish` in these channels, for every other event without condition. */
export const HOOKS_CONTRACT = {
  channels: 'chat:*',
  // One test waits for it; for all others it must be longer than a busy machine takes.
  timeoutMs: 1_500,
  maxConcurrent: 4,
  queueSize: 20,
  queueTtlMs: 60_000,
  maxDepth: 8,
} as const

const CLIENT = {
  session: 's1',
  user: 'ann',
  info: { name: 'Ann' },
  transport: 'tcp',
  remoteAddress: '10.0.0.1',
  name: 'app',
} as const

const stamp = <E extends string>(event: E, id = 'q1') => ({ event, id, time: Date.now() })

const publishQuestion = (data: unknown = 'hello', id = 'q1'): Questions['publish'] => ({
  ...stamp('publish', id),
  ...CLIENT,
  channel: 'chat:a',
  data,
  tags: { lang: 'cs' },
  key: 'k',
})

const QUESTIONS: Questions = {
  connect: { ...stamp('connect'), transport: 'sse', remoteAddress: '::1', token: 'secret' },
  refresh: { ...stamp('refresh'), ...CLIENT, channel: 'chat:a', expiresAt: 1_800_000_000_000 },
  subscribe: { ...stamp('subscribe'), ...CLIENT, channel: 'chat:a' },
  publish: publishQuestion({ deep: [null, true, 1.5, 'é'] }),
  rpc: { ...stamp('rpc'), ...CLIENT, method: 'sum', data: [1, 2] },
}

const ANSWERS: { readonly [E in DecidingEvent]: readonly Answers[E][] } = {
  connect: [
    { decision: 'allow' },
    {
      decision: 'allow',
      user: 'bob',
      info: null,
      expiresAt: 1_800_000_000_000,
      capabilities: [{ channels: ['chat:*'], allow: ['publish'] }],
      channels: ['news'],
    },
    { decision: 'deny', code: 'token_invalid', message: 'who?' },
  ],
  refresh: [{ decision: 'allow', info: { name: 'Bob' }, expiresAt: 1_800_000_000_000 }, { decision: 'deny' }],
  subscribe: [
    { decision: 'allow', info: 1 },
    { decision: 'deny', code: 'permission_denied' },
  ],
  publish: [{ decision: 'allow', data: null, tags: {} }, { decision: 'skip' }, { decision: 'deny', code: 'invalid_field' }],
  rpc: [{ decision: 'allow', data: { sum: 3 } }, { decision: 'allow' }, { decision: 'deny', code: 'method_not_found' }],
}

const deep = (depth: number): unknown => (depth === 0 ? 1 : [deep(depth - 1)])

/** What is no answer to `publish`. */
const NO_ANSWERS: readonly [name: string, answer: unknown][] = [
  ['nothing', null],
  ['a text', 'allow'],
  ['an empty object', {}],
  ['a decision that there is not', { decision: 'maybe' }],
  ['a field of another answer', { decision: 'allow', user: 'bob' }],
  ['a code that is not for this event', { decision: 'deny', code: 'token_expired' }],
  ['tags that are no texts', { decision: 'allow', tags: { n: 1 } }],
  ['too many tags', { decision: 'allow', tags: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`t${n}`, ''])) }],
  ['data that is nested too deep', { decision: 'allow', data: deep(HOOKS_CONTRACT.maxDepth) }],
]

const notice = (n: number): Notice => ({ ...stamp('channel_occupied', `n${n}`), channel: `chat:${n}` })

/**
 * What every {@link Hooks} must do, as a suite of tests. `makeHooks` is called before each test and gives hooks that lead to this
 * application, as {@link HOOKS_CONTRACT} says.
 */
export const hooksContract = (name: string, makeHooks: (application: ContractApplication) => Awaitable<Hooks>): void => {
  describe(`${name} are Hooks`, () => {
    let hooks: Hooks
    let asked: Question[]
    let heard: Notice[]
    let decide: (question: Question) => unknown
    let hear: (notice: Notice) => Awaitable<void>

    beforeEach(async () => {
      asked = []
      heard = []
      decide = () => ({ decision: 'allow' })
      hear = () => {}
      hooks = await makeHooks({
        decide: (question) => {
          asked.push(question)
          return decide(question)
        },
        hear: async (notice) => {
          await hear(notice)
          heard.push(notice)
        },
      })
    })

    afterEach(() => hooks.close())

    const refusal = async (question: Promise<unknown>): Promise<string> => {
      const error: unknown = await question.then(
        (answer) => new Error(`answered ${JSON.stringify(answer)}`),
        (thrown: unknown) => thrown,
      )
      if (error instanceof FusewireError) return error.code
      throw error
    }

    it('take what they lead to, by event and channel', () => {
      expect(hooks.takes('publish', 'chat:a')).toBe(true)
      expect(hooks.takes('publish', 'news')).toBe(false)
      expect(hooks.takes('subscribe', 'news')).toBe(true)
      expect(hooks.takes('connect')).toBe(true)
      expect(hooks.takes('channel_vacated', 'news')).toBe(true)
    })

    describe.each(Object.keys(ANSWERS) as DecidingEvent[])('%s', (event) => {
      it.each(ANSWERS[event].map((answer) => [JSON.stringify(answer), answer] as const))(
        'is put as it is, and answered %s',
        async (_, answer) => {
          decide = () => answer
          expect(await hooks.ask(QUESTIONS[event])).toEqual(answer)
          expect(asked).toEqual([QUESTIONS[event]])
        },
      )
    })

    it.each(NO_ANSWERS)('take %s for no answer', async (_, answer) => {
      decide = () => answer
      expect(await refusal(hooks.ask(publishQuestion()))).toBe('hook_unavailable')
      decide = () => ({ decision: 'allow' })
      expect(await hooks.ask(publishQuestion())).toEqual({ decision: 'allow' })
    })

    it('refuse a question when the application has failed, in a way that can be tried again', async () => {
      decide = () => {
        throw new Error('out of order')
      }
      expect(await refusal(hooks.ask(publishQuestion()))).toBe('hook_unavailable')
      expect(ERRORS.hook_unavailable.retryable).toBe(true)
    })

    it('refuse a question that is not answered in time', async () => {
      decide = () => new Promise(() => {})
      const startedAt = performance.now()
      expect(await refusal(hooks.ask(publishQuestion()))).toBe('hook_unavailable')
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(HOOKS_CONTRACT.timeoutMs - 5)
    })

    it('answer questions that are asked at the same time, each with its own answer', async () => {
      decide = (question) => ({ decision: 'allow', data: question.id })
      const ids = Array.from({ length: HOOKS_CONTRACT.maxConcurrent }, (_, n) => `q${n}`)
      const answers = await Promise.all(ids.map((id) => hooks.ask(publishQuestion('x', id))))
      expect(answers).toEqual(ids.map((data) => ({ decision: 'allow', data })))
    })

    it('refuse more questions at a time than they may have', async () => {
      const gate: { open: () => void } = { open: () => {} }
      const opened = new Promise<void>((resolve) => {
        gate.open = resolve
      })
      decide = () => opened.then(() => ({ decision: 'allow' }))
      const waiting = Array.from({ length: HOOKS_CONTRACT.maxConcurrent }, () => hooks.ask(publishQuestion()))
      expect(await refusal(hooks.ask(publishQuestion()))).toBe('overloaded')
      gate.open()
      for (const answer of await Promise.all(waiting)) expect(answer).toEqual({ decision: 'allow' })
      expect(await hooks.ask(publishQuestion())).toEqual({ decision: 'allow' })
    })

    it('tell everything, in its order', async () => {
      const notices = Array.from({ length: 15 }, (_, n) => notice(n))
      for (const one of notices) hooks.tell(one)
      await eventually(() => expect(heard).toEqual(notices))
    })

    it('tell again what has not arrived, and lose nothing', async () => {
      let failures = 3
      hear = () => {
        if (failures-- > 0) throw new Error('out of order')
      }
      const notices = Array.from({ length: 10 }, (_, n) => notice(n))
      for (const one of notices) hooks.tell(one)
      await eventually(() => expect(heard.at(-1)).toEqual(notices.at(-1)), { timeoutMs: 20_000 })
      // A repetition is allowed, an order in which something comes before what was told first is not.
      const first = heard.filter(({ id }, index) => heard.findIndex((other) => other.id === id) === index)
      expect(first).toEqual(notices)
    })

    it('keep no more than they may, and give up the oldest', async () => {
      const gate: { open: () => void } = { open: () => {} }
      const opened = new Promise<void>((resolve) => {
        gate.open = resolve
      })
      hear = () => opened
      const notices = Array.from({ length: HOOKS_CONTRACT.queueSize * 3 }, (_, n) => notice(n))
      for (const one of notices) hooks.tell(one)
      gate.open()
      await eventually(() => expect(heard.at(-1)).toEqual(notices.at(-1)), { timeoutMs: 20_000 })
      const ids = new Set(heard.map(({ id }) => id))
      expect(ids.size).toBeLessThanOrEqual(HOOKS_CONTRACT.queueSize + 1)
    })

    it('flush what waits, and give up when it is not taken in time', async () => {
      hooks.tell(notice(1))
      await hooks.flush(5000)
      expect(heard).toHaveLength(1)
      hear = () => {
        throw new Error('out of order')
      }
      hooks.tell(notice(2))
      await hooks.flush(50)
      expect(heard).toHaveLength(1)
    })

    it('refuse questions that wait when they are closed, and take no more', async () => {
      decide = () => new Promise(() => {})
      const waiting = refusal(hooks.ask(publishQuestion()))
      await eventually(() => asked.length === 1)
      await hooks.close()
      await hooks.close()
      expect(await waiting).toBe('hook_unavailable')
      expect(await refusal(hooks.ask(publishQuestion()))).toBe('hook_unavailable')
      hooks.tell(notice(1))
      await hooks.flush(50)
      expect(heard).toEqual([])
    })
  })
}
