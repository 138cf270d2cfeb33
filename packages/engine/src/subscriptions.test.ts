import { FusewireError } from '@fusewire/protocol'
import { EngineHarness, HeldCalls, plainAuthenticator, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryBroker } from './memory/memory-broker.ts'
import { MemoryPresence } from './memory/memory-presence.ts'

let harness: EngineHarness
/** Calls of the ports, which wait while a test says so. */
let held: { history: HeldCalls; interest: HeldCalls; tokens: HeldCalls; add: HeldCalls; remove: HeldCalls }
let presence: MemoryPresence

beforeEach(async () => {
  held = {
    history: new HeldCalls(),
    interest: new HeldCalls(),
    tokens: new HeldCalls(),
    add: new HeldCalls(),
    remove: new HeldCalls(),
  }
  presence = new MemoryPresence()
  harness = await EngineHarness.start({
    broker: (environment) => held.interest.of(held.history.of(new MemoryBroker(environment), 'history'), 'subscribe'),
    presence: held.remove.of(held.add.of(presence, 'add'), 'remove'),
    authenticator: held.tokens.of(plainAuthenticator, 'authorizeChannel'),
  })
})

const away = new FusewireError('broker_unavailable')

const release = async (calls: HeldCalls): Promise<void> => {
  calls.holding = 'nothing'
  calls.release()
  await turn()
}

const refuse = async (calls: HeldCalls, error: Error = away): Promise<void> => {
  calls.holding = 'nothing'
  calls.refuse(error)
  await turn()
}

describe('a subscribe whose answer comes late', () => {
  it('has no effect when its session has ended while the channel token was checked', async () => {
    const client = await harness.connect({ token: 'ann' })
    held.tokens.holding = 'calls'
    client.say({ type: 'subscribe', channel: 'secret:x', token: 'ann>secret:x' })
    harness.engine.disconnectUser({ user: 'ann' })
    await release(held.tokens)
    expect(harness.engine.stats()).toMatchObject({ sessions: 0, subscriptions: 0, channels: 0 })
  })

  it('is not answered to the connection that has resumed the session meanwhile', async () => {
    const first = await harness.connect({ token: 'ann' })
    held.tokens.holding = 'calls'
    first.say({ type: 'subscribe', id: 5, channel: 'open:a', token: 'ann>open:a', tags: { lang: 'cs' } })
    first.cut()
    const second = await harness.connect({ resume: first.last('connected').resume })
    second.say({ type: 'subscribe', id: 6, channel: 'open:a' })
    await release(held.tokens)
    expect(second.all('subscribed').map(({ id }) => id)).toEqual([6])
    harness.engine.publish('open:a', { data: 1 })
    expect(second.all('publication')).toHaveLength(1)
  })

  it('does not take the place of a newer one of the resumed session', async () => {
    const first = await harness.connect({ token: 'ann' })
    await harness.subscribe(first, 'open:a')
    const { position } = first.last('subscribed')
    for (let n = 1; n <= 3; n++) harness.engine.publish('open:a', { data: n })
    held.history.holding = 'calls'
    first.say({ type: 'subscribe', channel: 'open:a', since: position })
    first.cut()
    const since = { epoch: position.epoch, offset: 3 }
    const second = await harness.connect({
      resume: first.last('connected').resume,
      subscriptions: [{ channel: 'open:a', id: 7, since }],
    })
    await release(held.history)
    expect(second.all('subscribed')).toMatchObject([{ id: 7, recovered: true, position: since }])
    expect(second.all('subscribed')[0]?.publications).toBeUndefined()
  })

  it('does not end the subscription of the resumed session when it fails', async () => {
    const first = await harness.connect({ token: 'ann' })
    held.history.holding = 'calls'
    first.say({ type: 'subscribe', channel: 'open:a' })
    first.cut()
    const second = await harness.connect({ resume: first.last('connected').resume })
    held.history.refuse(away, 1)
    await turn()
    await release(held.history)
    expect(second.last('subscribed').channel).toBe('open:a')
    harness.engine.publish('open:a', { data: 1 })
    expect(second.all('publication')).toHaveLength(1)
  })

  it('is answered with an error when the application has unsubscribed the client meanwhile', async () => {
    const client = await harness.connect({ token: 'ann' })
    held.history.holding = 'calls'
    client.say({ type: 'subscribe', id: 5, channel: 'open:a' })
    harness.engine.unsubscribeUser({ user: 'ann' }, 'open:a')
    await release(held.history)
    expect(client.received.map((message) => [message.type, 'id' in message ? message.id : undefined])).toEqual([
      ['connected', 1],
      ['unsubscribed', undefined],
      ['error', 5],
    ])
    expect(client.last('error').code).toBe('not_subscribed')
  })

  it('delivers what was published meanwhile after it, once and in order', async () => {
    const client = await harness.connect({ token: 'ann' })
    await harness.subscribe(client, 'open:a')
    const since = client.last('subscribed').position
    harness.engine.publish('open:a', { data: 1 })
    held.history.holding = 'calls'
    client.say({ type: 'subscribe', id: 5, channel: 'open:a', since })
    await turn()
    harness.engine.publish('open:a', { data: 2 })
    held.history.release()
    harness.engine.publish('open:a', { data: 3 })
    await turn()
    expect(client.last('subscribed').publications?.map(({ data }) => data)).toEqual([1, 2])
    expect(client.all('publication').map(({ data }) => data)).toEqual([1, 3])
  })

  it('is refused when more is published meanwhile than a subscription may hold', async () => {
    const client = await harness.connect({ token: 'ann' })
    held.history.holding = 'calls'
    client.say({ type: 'subscribe', id: 5, channel: 'open:a' })
    for (let n = 0; n <= 10_000; n++) harness.engine.publish('open:a', { data: n })
    await release(held.history)
    expect(client.last('error')).toMatchObject({ id: 5, code: 'overloaded', retryable: true })
    expect(harness.engine.stats().subscriptions).toBe(0)
  })
})

describe('a history that is cleared under a live subscription', () => {
  it('[S5] stops no delivery, and is missed by whoever comes back from before that', async () => {
    const client = await harness.connect({ token: 'ann' })
    await harness.subscribe(client, 'open:a')
    const since = client.last('subscribed').position
    harness.engine.publish('open:a', { data: 1 })
    harness.engine.clearHistory('open:a')
    harness.engine.publish('open:a', { data: 2 })
    await turn()
    expect(client.all('subscribed')).toHaveLength(1)
    expect(client.all('publication').map(({ data }) => data)).toEqual([1, 2])
    const answers = []
    for (const offset of [0, 1, 2]) {
      await harness.subscribe(client, 'open:a', { ...since, offset })
      const { recovered, publications } = client.last('subscribed')
      answers.push([recovered, publications?.map(({ data }) => data)])
    }
    expect(answers).toEqual([
      [false, undefined],
      [true, [2]],
      [true, undefined],
    ])
  })
})

describe('a subscribe that fails', () => {
  it('leaves nothing behind, and can be repeated', async () => {
    const clients = [await harness.connect({ token: 'ann' }), await harness.connect({ token: 'bob' })]
    held.interest.holding = 'calls'
    for (const client of clients) client.say({ type: 'subscribe', id: 5, channel: 'open:a' })
    await refuse(held.interest)
    for (const client of clients) expect(client.last('error')).toMatchObject({ id: 5, code: 'broker_unavailable' })
    expect(harness.engine.stats()).toMatchObject({ subscriptions: 0, channels: 0 })
    for (const client of clients) await harness.subscribe(client, 'open:a')
    harness.engine.publish('open:a', { data: 1 })
    for (const client of clients) expect(client.all('publication')).toHaveLength(1)
  })

  it('asks nothing of the presence store, which has not heard of it and may be away too', async () => {
    const client = await harness.connect({ token: 'ann' })
    held.history.holding = held.remove.holding = 'calls'
    client.say({ type: 'subscribe', id: 5, channel: 'open:a' })
    await turn()
    await refuse(held.history)
    expect(client.last('error')).toMatchObject({ id: 5, code: 'broker_unavailable' })
    expect(held.remove.size).toBe(0)
  })

  it('leaves the subscription that it repeats as it was', async () => {
    const client = await harness.connect({ token: 'ann' })
    client.say({ type: 'subscribe', channel: 'open:a', tags: { lang: 'cs' } })
    await turn()
    held.history.holding = 'calls'
    client.say({ type: 'subscribe', id: 5, channel: 'open:a', tags: { lang: 'de' } })
    await turn()
    harness.engine.publish('open:a', { data: 1, tags: { lang: 'cs' } })
    harness.engine.publish('open:a', { data: 2, tags: { lang: 'de' } })
    await refuse(held.history)
    expect(client.last('error')).toMatchObject({ id: 5, code: 'broker_unavailable' })
    harness.engine.publish('open:a', { data: 3, tags: { lang: 'cs' } })
    expect(client.all('publication').map(({ data }) => data)).toEqual([1, 3])
  })

  it('has missed nobody who came or went meanwhile', async () => {
    const watcher = await harness.connect({ token: 'ann' })
    const other = await harness.connect({ token: 'bob' })
    await harness.subscribe(other, 'open:a')
    watcher.say({ type: 'subscribe', channel: 'open:a', presence: true })
    await turn()
    held.history.holding = 'calls'
    watcher.say({ type: 'subscribe', id: 5, channel: 'open:a' })
    await turn()
    other.say({ type: 'unsubscribe', channel: 'open:a' })
    await refuse(held.history)
    expect(watcher.last('error')).toMatchObject({ id: 5, code: 'broker_unavailable' })
    expect(watcher.all('leave').map(({ member }) => member.user)).toEqual(['bob'])
  })

  it('leaves it as it was for another connection too, when its own had ended before the answer', async () => {
    const first = await harness.connect({ token: 'ann' })
    await harness.subscribe(first, 'open:a')
    held.history.holding = 'calls'
    first.say({ type: 'subscribe', channel: 'open:a', tags: { lang: 'cs' }, presence: true })
    await turn()
    first.cut()
    const { resume } = first.last('connected')
    const second = await harness.connect({ resume, subscriptions: [{ channel: 'open:a', id: 5, tags: { lang: 'de' } }] })
    await refuse(held.history)
    expect(second.last('error')).toMatchObject({ id: 5, code: 'broker_unavailable' })
    const third = await harness.connect({ resume })
    harness.engine.publish('open:a', { data: 1 })
    expect(third.all('publication').map(({ data }) => data)).toEqual([1])
    await harness.subscribe(await harness.connect({ token: 'bob' }), 'open:a')
    expect(third.all('join')).toEqual([])
  })

  it('leaves the subscriptions of a resumed session to the next attempt', async () => {
    const first = await harness.connect({ token: 'ann' })
    await harness.subscribe(first, 'open:a')
    first.cut()
    held.history.holding = 'calls'
    const second = await harness.connect({ resume: first.last('connected').resume })
    await refuse(held.history)
    expect(second.last('error')).toMatchObject({ channel: 'open:a', code: 'broker_unavailable' })
    await harness.subscribe(second, 'open:a')
    harness.engine.publish('open:a', { data: 1 })
    expect(second.all('publication')).toHaveLength(1)
  })

  it('leaves nothing of one that was cut off, and is repeated by the resumed session', async () => {
    const first = await harness.connect({ token: 'ann' })
    held.history.holding = 'calls'
    first.say({ type: 'subscribe', channel: 'open:a' })
    first.cut()
    const resume = first.last('connected').resume
    const second = await harness.connect({ resume, subscriptions: [{ channel: 'open:a', id: 5, token: 'wrong' }] })
    expect(second.last('error')).toMatchObject({ id: 5, code: 'token_invalid' })
    expect(harness.engine.stats()).toMatchObject({ subscriptions: 0, channels: 0 })
    await release(held.history)
    expect(harness.engine.stats()).toMatchObject({ subscriptions: 0, channels: 0 })
    await harness.subscribe(second, 'open:a')
    harness.engine.publish('open:a', { data: 1 })
    expect(second.all('publication')).toHaveLength(1)
  })

  it('does not fail others, after it was cut off and the broker is back', async () => {
    const first = await harness.connect({ token: 'ann' })
    held.interest.holding = 'calls'
    first.say({ type: 'subscribe', channel: 'open:a' })
    first.cut()
    await refuse(held.interest)
    expect(harness.engine.stats()).toMatchObject({ subscriptions: 1, sessions: 1 })
    const other = await harness.connect({ token: 'bob' })
    await harness.subscribe(other, 'open:a')
    const second = await harness.connect({ resume: first.last('connected').resume })
    harness.engine.publish('open:a', { data: 1 })
    for (const client of [other, second]) expect(client.all('publication')).toHaveLength(1)
  })

  it('does not leave the subscription to a connection that has been replaced', async () => {
    const first = await harness.connect({ token: 'ann' })
    await harness.subscribe(first, 'open:a')
    const second = await harness.connect({
      resume: first.last('connected').resume,
      subscriptions: [{ channel: 'open:a', id: 5, token: 'wrong' }],
    })
    expect(second.last('error')).toMatchObject({ id: 5, code: 'token_invalid' })
    const before = harness.engine.stats().deliveries
    harness.engine.publish('open:a', { data: 1 })
    expect(harness.engine.stats().deliveries).toBe(before)
  })

  it('refuses a channel that connect names twice, so that each request has its one answer', async () => {
    const client = await harness.connect({
      subscriptions: [
        { channel: 'open:a', id: 5 },
        { channel: 'open:a', id: 6 },
      ],
    })
    expect(client.all('subscribed').map(({ id }) => id)).toEqual([5])
    expect(client.all('error')).toMatchObject([{ id: 6, channel: 'open:a', code: 'invalid_field' }])
  })
})

describe('presence', () => {
  it('is not announced to have ended where it has not begun', async () => {
    const watcher = await harness.connect({ token: 'ann' })
    watcher.say({ type: 'subscribe', channel: 'open:a', presence: true })
    await turn()
    held.add.holding = 'calls'
    const client = await harness.connect({ token: 'bob' })
    client.say({ type: 'subscribe', id: 5, channel: 'open:a' })
    await turn()
    await refuse(held.add)
    expect(client.last('error')).toMatchObject({ id: 5, code: 'broker_unavailable' })
    expect(watcher.all('leave')).toEqual([])
    await harness.subscribe(client, 'open:a')
    expect(watcher.all('join')).toHaveLength(1)
  })

  it('is added by the next attempt when the store has failed', async () => {
    const first = await harness.connect({ token: 'ann' })
    held.add.holding = 'calls'
    first.say({ type: 'subscribe', channel: 'open:a' })
    await turn()
    first.cut()
    const second = await harness.connect({ resume: first.last('connected').resume })
    await turn()
    await refuse(held.add)
    await harness.subscribe(second, 'open:a')
    expect(presence.list('open:a')).toMatchObject([{ user: 'ann' }])
  })

  it('stands when a client has left and come back while the store was slow, and what has come to pass is told in order', async () => {
    const watcher = await harness.connect({ token: 'bob' })
    watcher.say({ type: 'subscribe', channel: 'open:a', presence: true })
    await turn()
    held.add.holding = 'answers'
    const client = await harness.connect({ token: 'ann' })
    await harness.subscribe(client, 'open:a')
    harness.engine.unsubscribeUser({ user: 'ann' }, 'open:a')
    held.add.holding = 'nothing'
    await harness.engine.subscribeUser({ user: 'ann' }, 'open:a')
    await release(held.add)
    expect(presence.list('open:a')).toMatchObject([{ user: 'bob' }, { user: 'ann' }])
    const told = watcher.received.map(({ type }) => type).filter((type) => type === 'join' || type === 'leave')
    expect(told).toEqual(['join', 'leave', 'join'])
  })

  it('is removed at once when the session ends before the store has answered', async () => {
    const client = await harness.connect({ token: 'ann' })
    held.add.holding = 'calls'
    held.remove.holding = 'calls'
    client.say({ type: 'subscribe', channel: 'open:a' })
    await turn()
    harness.engine.disconnectUser({ user: 'ann' })
    expect(held.remove.size).toBe(1)
    await release(held.add)
    await release(held.remove)
    expect(presence.list('open:a')).toEqual([])
  })

  it('keeps no session alive when the store throws', async () => {
    const client = await harness.connect({ token: 'ann' })
    await harness.subscribe(client, 'open:a')
    await harness.subscribe(client, 'open:b')
    presence.remove = () => {
      throw away
    }
    client.cut()
    harness.advance(61_000)
    expect(harness.engine.stats()).toMatchObject({ sessions: 0, subscriptions: 0, channels: 0 })
    await turn()
    expect(harness.events.filter(([event]) => event === 'presence_remove_failed')).toHaveLength(2)
  })
})

describe('channel tokens', () => {
  it('end the subscription when they end, however late that is', async () => {
    const client = await harness.connect({ token: 'ann' })
    client.say({ type: 'subscribe', channel: 'secret:x', token: `ann>secret:x@${harness.environment.now() + 900_000}` })
    await turn()
    for (let passed = 0; passed < 890_000; passed += 10_000) {
      harness.advance(10_000)
      client.say({ type: 'ping' })
    }
    expect(client.all('unsubscribed')).toEqual([])
    harness.advance(11_000)
    expect(client.last('unsubscribed')).toMatchObject({ channel: 'secret:x', code: 'token_expired' })
  })

  it('may be replaced by one that ends sooner, later or never', async () => {
    const client = await harness.connect({ token: 'ann' })
    const refresh = async (token: string): Promise<void> => {
      client.say({ type: 'refresh', channel: 'secret:x', token })
      await turn()
    }
    const start = harness.environment.now()
    client.say({ type: 'subscribe', channel: 'secret:x', token: `ann>secret:x@${start + 5000}` })
    await turn()
    await refresh(`ann>secret:x@${start + 20_000}`)
    harness.advance(6000)
    await refresh('ann>secret:x')
    harness.advance(15_000)
    expect(client.all('unsubscribed')).toEqual([])
    await refresh(`ann>secret:x@${start + 22_000}`)
    harness.advance(1500)
    expect(client.last('unsubscribed')).toMatchObject({ channel: 'secret:x', code: 'token_expired' })
  })

  it('are not taken from a connection that has been replaced while they were checked', async () => {
    const first = await harness.connect({ token: 'ann' })
    first.say({ type: 'subscribe', channel: 'secret:x', token: 'ann>secret:x' })
    await turn()
    held.tokens.holding = 'calls'
    first.say({ type: 'refresh', channel: 'secret:x', token: `ann>secret:x@${harness.environment.now() + 5000}` })
    const second = await harness.connect({ resume: first.last('connected').resume })
    await release(held.tokens)
    harness.advance(10_000)
    expect(second.all('unsubscribed')).toEqual([])
  })

  it('are refused for a subscription that has ended while they were checked', async () => {
    const client = await harness.connect({ token: 'ann' })
    client.say({ type: 'subscribe', channel: 'secret:x', token: 'ann>secret:x' })
    await turn()
    held.tokens.holding = 'calls'
    client.say({ type: 'refresh', id: 5, channel: 'secret:x', token: 'ann>secret:x' })
    harness.engine.unsubscribeUser({ user: 'ann' }, 'secret:x')
    await release(held.tokens)
    expect(client.last('error')).toMatchObject({ id: 5, code: 'not_subscribed' })
  })
})

describe('a channel that the application has subscribed', () => {
  it('may be subscribed again by the client, to recover or to change what it wants', async () => {
    const client = await harness.connect({ token: 'ann' })
    await harness.engine.subscribeUser({ user: 'ann' }, 'secret:x')
    await harness.subscribe(client, 'secret:x', client.last('subscribed').position)
    expect(client.last('subscribed')).toMatchObject({ channel: 'secret:x', recovered: true })
  })
})

describe('a channel that is not subscribed', () => {
  it('is not left by its client, and is none of those that the application ends', async () => {
    const client = await harness.connect({ token: 'ann' })
    client.say({ type: 'unsubscribe', id: 5, channel: 'open:a' })
    expect(client.last('error')).toMatchObject({ id: 5, code: 'not_subscribed' })
    expect(harness.engine.unsubscribeUser({ user: 'ann' }, 'open:a')).toBe(0)
    await harness.subscribe(client, 'open:a')
    expect(harness.engine.unsubscribeUser({ user: 'ann' }, 'open:a')).toBe(1)
    expect(client.all('unsubscribed')).toHaveLength(1)
  })
})

describe('the channels of a connect token', () => {
  it('are allowed whatever the rule says, named or not', async () => {
    const client = await harness.connect({ token: 'auto', subscriptions: [{ channel: 'secret:auto', id: 5 }] })
    expect(client.all('error')).toEqual([])
    expect(client.all('subscribed').map(({ channel }) => channel)).toEqual(['secret:auto', 'open:auto'])
    client.say({ type: 'unsubscribe', channel: 'secret:auto' })
    await harness.subscribe(client, 'secret:auto')
    expect(client.all('error')).toEqual([])
  })
})
