import type { ClientMessage, ServerMessage } from '@fusewire/protocol'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ClientError } from '../client-error.ts'
import { pass, settled } from '../testing/harness.ts'
import { Requests } from './requests.ts'
import { Subscriptions } from './subscriptions.ts'

const POSITION = { epoch: 'e', offset: 3 }
const BY_SERVER: ServerMessage = { type: 'subscribed', channel: 'c', position: POSITION, recovered: false }

let requests: Requests
let subscriptions: Subscriptions
/** What the client has said since the last look. */
let sent: string[]
let last: ClientMessage

beforeEach(() => {
  vi.useFakeTimers()
  sent = []
  requests = new Requests({ requestTimeoutMs: 1000, maxQueuedRequests: 10, whenOffline: 'queue' })
  subscriptions = new Subscriptions(requests, { minBackoffMs: 100, maxBackoffMs: 1000 })
  connect()
})
afterEach(() => void vi.useRealTimers())

const connect = (): void => {
  const send = (message: ClientMessage): void => {
    last = message
    sent.push(message.type)
  }
  subscriptions.connected(send)
  requests.connected(send, 60_000)
}

const lose = (): void => {
  subscriptions.lost()
  requests.lost()
}

const receive = (message: ServerMessage): void => {
  subscriptions.receive(message)
  requests.answer(message)
}

const told = (): string[] => sent.splice(0)

/** Answers the last message. */
const answer = (message: ServerMessage): void => receive({ ...message, id: (last as { id: number }).id } as ServerMessage)
const refuse = (code: string, retryable = false): void =>
  answer({ type: 'error', channel: 'c', code, message: code, retryable } as ServerMessage)

const join = (holder: object = {}): ReturnType<typeof settled> => settled(subscriptions.join('c', holder, {}))

const joined = async (): Promise<object> => {
  const holder = {}
  const outcome = join(holder)
  answer(BY_SERVER)
  expect(await outcome).toHaveProperty('value')
  return holder
}

/** What a listener hears of everything. */
const listened = (): unknown[] => {
  const heard: unknown[] = []
  for (const type of ['publication', 'join', 'leave', 'subscribed', 'unsubscribed'] as const)
    subscriptions.listen('c', type, () => heard.push(type))
  return heard
}

const PUBLICATION: ServerMessage = { type: 'publication', channel: 'c', offset: 4, data: 1, time: 0 }

describe('a channel', () => {
  test('is kept for as long as anybody listens, holds it, or the server has it', async () => {
    const stop = subscriptions.listen('c', 'publication', () => {})
    expect(subscriptions.get('c')).toBeDefined()
    stop()
    expect(subscriptions.get('c')).toBeUndefined()
    const holder = await joined()
    subscriptions.listen('c', 'publication', () => {})()
    expect(subscriptions.get('c')?.position).toEqual(POSITION)
    void subscriptions.leave('c', holder)
    answer({ type: 'unsubscribed', channel: 'c' })
    expect(subscriptions.get('c')).toBeUndefined()
    receive(BY_SERVER)
    subscriptions.listen('c', 'publication', () => {})()
    expect(subscriptions.get('c')?.position).toEqual(POSITION)
    subscriptions.stop(new ClientError('closed', 'closed'))
    expect(subscriptions.get('c')).toBeUndefined()
  })

  test('that is left and joined again has the listeners that it had', async () => {
    const heard = listened()
    for (let round = 0; round < 2; round++) {
      void subscriptions.leave('c', await joined())
      answer({ type: 'unsubscribed', channel: 'c' })
    }
    expect(heard).toEqual(['subscribed', 'unsubscribed', 'subscribed', 'unsubscribed'])
  })

  test('that nobody here knows is known by a subscription alone', () => {
    receive(PUBLICATION)
    receive({ type: 'unsubscribed', channel: 'c', code: 'disconnected' })
    expect(subscriptions.get('c')).toBeUndefined()
  })

  test('whose subscription comes when nobody wants it any more is left, and forgotten', () => {
    receive({ ...BY_SERVER, id: 99 } as ServerMessage)
    expect([told(), subscriptions.get('c')]).toEqual([['unsubscribe'], undefined])
  })

  test('tells a listener nothing once it is taken off', () => {
    const heard: number[] = []
    const stop = subscriptions.listen('c', 'publication', ({ offset }) => heard.push(offset))
    receive(BY_SERVER)
    receive(PUBLICATION)
    stop()
    receive({ ...PUBLICATION, offset: 5 } as ServerMessage)
    expect(heard).toEqual([4])
  })

  test('that is not subscribed is heard of no more', async () => {
    const holder = await joined()
    void subscriptions.leave('c', holder)
    answer({ type: 'unsubscribed', channel: 'c' })
    const heard = listened()
    receive(PUBLICATION)
    for (const type of ['join', 'leave'] as const) receive({ type, channel: 'c', member: { session: 's' } })
    receive({ type: 'unsubscribed', channel: 'c', code: 'disconnected' })
    receive({ type: 'error', id: 99, channel: 'c', code: 'permission_denied', message: '', retryable: false })
    expect([heard, told()]).toEqual([[], ['subscribe', 'unsubscribe']])
  })

  test('is asked for once, however many join it before it is answered, and all of them wait', async () => {
    const outcomes = [join(), join(), join()]
    expect(told()).toEqual(['subscribe'])
    let isSettled = false
    void Promise.race(outcomes).then(() => {
      isSettled = true
    })
    await pass()
    expect(isSettled).toBe(false)
    receive({ ...BY_SERVER, id: 1 } as ServerMessage)
    const event = { position: POSITION, recovered: false, wasRecovering: false }
    expect(await Promise.all(outcomes)).toEqual(Array(3).fill({ value: event }))
    expect(await join()).toEqual({ value: event })
    expect(told()).toEqual([])
  })
})

describe('a subscription that is refused', () => {
  test('leaves nothing, where the server has nothing', async () => {
    const outcome = join()
    receive(PUBLICATION)
    refuse('permission_denied')
    expect(await outcome).toMatchObject({ error: { code: 'permission_denied' } })
    expect(told()).toEqual(['subscribe'])
  })

  test('leaves nothing either where it came with the connection', async () => {
    lose()
    const outcome = join()
    const [asked] = subscriptions.hello()
    connect()
    receive({ type: 'error', id: asked?.id as number, channel: 'c', code: 'permission_denied', message: '', retryable: false })
    expect(await outcome).toMatchObject({ error: { code: 'permission_denied' } })
    expect(told()).toEqual([])
  })

  test('and was left before ends none that was asked for since', async () => {
    const holder = {}
    const first = join(holder)
    const refused = last as { id: number }
    void subscriptions.leave('c', holder)
    answer({ type: 'unsubscribed', channel: 'c' })
    const second = join()
    receive({ type: 'error', id: refused.id, channel: 'c', code: 'permission_denied', message: '', retryable: false })
    answer(BY_SERVER)
    expect(await Promise.all([first, second])).toMatchObject([{ error: { code: 'not_subscribed' } }, { value: {} }])
  })

  test('is asked for again no sooner than the server says', async () => {
    void join()
    answer({ type: 'error', channel: 'c', code: 'overloaded', message: '', retryable: true, retryAfterMs: 5000 })
    told()
    await pass(4999)
    expect(told()).toEqual([])
    await pass(1001)
    expect(told()).toEqual(['subscribe'])
  })

  test('leaves what the server has made meanwhile', async () => {
    const outcome = join()
    receive(BY_SERVER)
    refuse('permission_denied')
    expect(await outcome).toMatchObject({ error: { code: 'permission_denied' } })
    expect(told()).toEqual(['subscribe', 'unsubscribe'])
  })

  test('leaves nothing where the server has ended it before', async () => {
    let tokens = 0
    const outcome = settled(subscriptions.join('c', {}, { getToken: async () => `token ${++tokens}` }))
    await pass()
    answer(BY_SERVER)
    await outcome
    told()
    receive({ type: 'unsubscribed', channel: 'c', code: 'token_expired' })
    await pass()
    refuse('permission_denied')
    expect([told(), tokens]).toEqual([['subscribe'], 2])
  })
})

describe('the token of a channel', () => {
  const ended: ServerMessage = { type: 'unsubscribed', channel: 'c', code: 'token_expired' }

  /** Joins with tokens that are numbered. */
  const joinWithTokens = async () => {
    const getToken = vi.fn(async () => `token ${getToken.mock.calls.length}`)
    const outcome = settled(subscriptions.join('c', {}, { getToken }))
    await pass()
    return { getToken, outcome }
  }

  test('is got when there is a connection, and not used for what was left meanwhile', async () => {
    lose()
    let give = (_: string): void => {}
    const getToken = vi.fn(() => new Promise<string>((resolve) => (give = resolve)))
    const holder = {}
    void settled(subscriptions.join('c', holder, { getToken }))
    expect(subscriptions.hello()).toEqual([])
    expect(getToken).not.toHaveBeenCalled()
    connect()
    expect(getToken).toHaveBeenCalledOnce()
    void subscriptions.leave('c', holder)
    give('token')
    await pass()
    expect(told()).toEqual(['unsubscribe'])
  })

  test('ends the subscription where there will be none, and nothing where that was left before', async () => {
    const getToken = () => Promise.reject(Object.assign(new Error('nobody is signed in'), { retryable: false }))
    const ends: unknown[] = []
    subscriptions.listen('c', 'unsubscribed', ({ code }) => ends.push(code))
    const outcome = settled(subscriptions.join('c', {}, { getToken }))
    await pass()
    expect(await outcome).toMatchObject({ error: { code: 'token_unavailable' } })
    const holder = {}
    void settled(subscriptions.join('c', holder, { getToken }))
    void subscriptions.leave('c', holder)
    await pass()
    expect([ends, told()]).toEqual([['token_unavailable', undefined], ['unsubscribe']])
  })

  test('is got anew when it is refused, once', async () => {
    const { outcome } = await joinWithTokens()
    refuse('token_invalid')
    await pass()
    expect(last).toMatchObject({ type: 'subscribe', token: 'token 2' })
    answer(BY_SERVER)
    expect(await outcome).toHaveProperty('value')
    receive(ended)
    await pass()
    refuse('token_invalid')
    await pass(60_000)
    expect(told()).toEqual(['subscribe', 'subscribe', 'subscribe'])
  })

  test('is not got anew for a refusal that is not about it', async () => {
    const { outcome, getToken } = await joinWithTokens()
    refuse('permission_denied')
    expect(await outcome).toMatchObject({ error: { code: 'permission_denied' } })
    const another = await joinWithTokens()
    answer(BY_SERVER)
    await another.outcome
    receive({ ...ended, code: 'disconnected' })
    await pass()
    expect([told(), getToken.mock.calls.length, another.getToken.mock.calls.length]).toEqual([['subscribe', 'subscribe'], 1, 1])
  })

  test('that is the only one ends the subscription when it is refused or over', async () => {
    const joinWith = (token: string) => settled(subscriptions.join('c', {}, { token }))
    const outcome = joinWith('token')
    refuse('token_invalid')
    expect(await outcome).toMatchObject({ error: { code: 'token_invalid' } })
    const another = joinWith('token')
    answer(BY_SERVER)
    await another
    receive(ended)
    await pass(60_000)
    expect(told()).toEqual(['subscribe', 'subscribe'])
  })
})

describe('after a cut', () => {
  test('what the server goes on with by itself does not stand for what is asked', async () => {
    await joined()
    const heard = listened()
    lose()
    const [asked] = subscriptions.hello()
    connect()
    receive({ ...BY_SERVER, position: { epoch: 'e', offset: 4 } } as ServerMessage)
    expect(heard).toEqual([])
    receive({
      type: 'subscribed',
      id: asked?.id as number,
      channel: 'c',
      position: { epoch: 'e', offset: 4 },
      recovered: true,
      publications: [{ offset: 4, data: 1, time: 0 }],
    })
    expect([heard, asked?.since]).toEqual([['subscribed', 'publication'], POSITION])
  })
})

describe('leaving', () => {
  test('is done when the server has confirmed it', async () => {
    const holder = await joined()
    let isLeft = false
    void subscriptions.leave('c', holder).then(() => {
      isLeft = true
    })
    await pass()
    expect(isLeft).toBe(false)
    answer({ type: 'unsubscribed', channel: 'c' })
    await pass()
    expect(isLeft).toBe(true)
  })

  test('that is refused for good is over, and what the server makes later is heard', async () => {
    const holder = await joined()
    void subscriptions.leave('c', holder)
    refuse('not_subscribed')
    const heard = listened()
    receive(BY_SERVER)
    await pass(60_000)
    expect([heard, told()]).toEqual([['subscribed'], ['subscribe', 'unsubscribe']])
  })

  test('that is refused for now is given up where somebody has joined meanwhile', async () => {
    const holder = await joined()
    void subscriptions.leave('c', holder)
    const leave = last as { id: number }
    const outcome = join()
    receive({ type: 'error', id: leave.id, channel: 'c', code: 'rate_limited', message: '', retryable: true } as ServerMessage)
    answer(BY_SERVER)
    expect(await outcome).toHaveProperty('value')
    const heard = listened()
    receive(PUBLICATION)
    await pass(60_000)
    expect([heard, told()]).toEqual([['publication'], ['subscribe', 'unsubscribe', 'subscribe']])
  })

  test('that nobody knows the outcome of is asked for again with the next connection, once', async () => {
    const holder = await joined()
    void subscriptions.leave('c', holder)
    told()
    lose()
    expect(subscriptions.hello()).toEqual([])
    connect()
    await pass(500)
    expect(told()).toEqual(['unsubscribe'])
    answer({ type: 'unsubscribed', channel: 'c' })
    await pass(60_000)
    expect(told()).toEqual([])
  })

  test('that is refused for now is asked for with the next connection, and not once more', async () => {
    const holder = await joined()
    void subscriptions.leave('c', holder)
    refuse('rate_limited', true)
    told()
    lose()
    expect(subscriptions.hello()).toEqual([])
    connect()
    await pass(500)
    expect(told()).toEqual(['unsubscribe'])
  })

  test('is forgotten with the session', async () => {
    const holder = await joined()
    void subscriptions.leave('c', holder)
    refuse('rate_limited', true)
    told()
    subscriptions.stop(new ClientError('closed', 'closed'))
    subscriptions.lost()
    connect()
    const heard = listened()
    receive(BY_SERVER)
    await pass(60_000)
    expect([heard, told()]).toEqual([['subscribed'], []])
  })
})
