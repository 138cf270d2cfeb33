import { EngineHarness, memoryFormat, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'

let harness: EngineHarness
beforeEach(async () => {
  harness = await EngineHarness.start()
})

describe('channels', () => {
  it('encodes a publication once for all connections of a format', async () => {
    const other = memoryFormat('other')
    const clients = [await harness.connect(), await harness.connect(), harness.open(other), harness.open(other)]
    for (const client of clients.slice(2)) client.say({ type: 'connect' })
    await turn()
    for (const client of clients) await harness.subscribe(client, 'open:a')
    harness.engine.publish('open:a', { data: 1 })
    const [a, b, c, d] = clients.map((client) => client.frames.at(-1))
    expect(a).toBe(b)
    expect(c).toBe(d)
    expect(a).not.toBe(c)
  })

  it('delivers to exactly those who are subscribed, whoever leaves in between', async () => {
    const clients = await Promise.all([1, 2, 3, 4].map(() => harness.connect()))
    for (const client of clients) await harness.subscribe(client, 'open:a')
    clients[1]?.say({ type: 'unsubscribe', id: 9, channel: 'open:a' })
    expect(clients[1]?.last('unsubscribed')).toMatchObject({ id: 9, channel: 'open:a' })
    clients[0]?.cut()
    harness.engine.publish('open:a', { data: 1 })
    expect(clients.map((client) => client.all('publication').length)).toEqual([0, 0, 1, 1])
    expect(harness.engine.stats().deliveries).toBe(2)
  })

  it('delivers to a filter only what carries its tags', async () => {
    const client = await harness.connect()
    client.say({ type: 'subscribe', channel: 'open:a', tags: { color: 'red' } })
    await turn()
    harness.engine.publish('open:a', { data: 1, tags: { color: 'red', size: 'xl' } })
    harness.engine.publish('open:a', { data: 2, tags: { color: 'blue' } })
    harness.engine.publish('open:a', { data: 3 })
    expect(client.all('publication').map(({ data }) => data)).toEqual([1])
  })

  it('publishes with the sender, answers with the position, and takes a repeated key for the same publication', async () => {
    const client = await harness.connect({ token: 'ann' })
    await harness.subscribe(client, 'open:a')
    client.say({ type: 'publish', id: 2, channel: 'open:a', data: 'x', key: 'k' })
    client.say({ type: 'publish', id: 3, channel: 'open:a', data: 'x', key: 'k' })
    expect(client.all('publication')).toHaveLength(1)
    expect(client.last('publication').sender).toMatchObject({ user: 'ann' })
    expect(client.last('result')).toMatchObject({ id: 3, data: { duplicate: true, position: { offset: 1 } } })
  })

  it('refuses what the rule does not allow, and lets capabilities and channel tokens in', async () => {
    const ann = await harness.connect({ token: 'ann' })
    ann.say({ type: 'publish', id: 1, channel: 'secret:x', data: 1 })
    expect(ann.last('error')).toMatchObject({ id: 1, code: 'permission_denied' })
    await harness.subscribe(ann, 'inbox:bob')
    expect(ann.last('error')).toMatchObject({ channel: 'inbox:bob', code: 'permission_denied' })
    await harness.subscribe(ann, 'inbox:ann')
    expect(ann.last('subscribed').channel).toBe('inbox:ann')
    ann.say({ type: 'subscribe', channel: 'secret:x', token: 'ann>secret:x' })
    await turn()
    expect(ann.last('subscribed').channel).toBe('secret:x')
    const admin = await harness.connect({ token: 'admin' })
    admin.say({ type: 'publish', id: 2, channel: 'secret:x', data: 'hello' })
    expect(ann.last('publication').data).toBe('hello')
  })

  it('refuses more channels than maxChannelsPerSession and names that are none', async () => {
    const client = await harness.connect()
    for (const channel of ['open:1', 'open:2', 'open:3', 'open:4', 'with space']) await harness.subscribe(client, channel)
    expect(client.all('subscribed')).toHaveLength(3)
    expect(client.all('error').map(({ code }) => code)).toEqual(['too_many_channels', 'invalid_channel'])
  })

  it('tells join and leave to those who ask, and keeps presence until the session ends', async () => {
    const watcher = await harness.connect({ token: 'ann' })
    watcher.say({ type: 'subscribe', channel: 'open:a', presence: true })
    await turn()
    const other = await harness.connect({ token: 'bob' })
    await harness.subscribe(other, 'open:a')
    expect(watcher.last('join').member.user).toBe('bob')
    other.cut()
    watcher.say({ type: 'presence', id: 3, channel: 'open:a' })
    expect(watcher.last('result').data).toMatchObject({ members: [{ user: 'ann' }, { user: 'bob' }] })
    watcher.say({ type: 'ping' })
    harness.advance(20_000)
    watcher.say({ type: 'ping' })
    harness.advance(20_000)
    watcher.say({ type: 'ping' })
    harness.advance(21_000)
    expect(watcher.last('leave').member.user).toBe('bob')
    expect(await harness.engine.presenceCount('open:a')).toEqual({ sessions: 1, users: 1 })
  })

  it('tells join and leave no longer to those who ask no more, and again to those who have come back', async () => {
    const asksNoMore = await harness.connect({ token: 'ann' })
    const comesBack = await harness.connect({ token: 'ann' })
    for (const watcher of [asksNoMore, comesBack]) {
      watcher.say({ type: 'subscribe', channel: 'open:a', presence: true })
      await turn()
    }
    await harness.subscribe(asksNoMore, 'open:a')
    comesBack.cut()
    const back = await harness.connect({ resume: comesBack.last('connected').resume })
    const bob = await harness.connect({ token: 'bob' })
    await harness.subscribe(bob, 'open:a')
    const namesOf = (client: typeof bob): unknown[] => client.all('join').map(({ member }) => member.user)
    expect([asksNoMore, comesBack, back, bob].map(namesOf)).toEqual([['ann'], [], ['bob'], []])
  })

  it('removes presence at once when a client leaves for good', async () => {
    const client = await harness.connect({ token: 'bob' })
    await harness.subscribe(client, 'open:a')
    client.say({ type: 'disconnect' })
    expect(await harness.engine.presence('open:a')).toEqual([])
    expect(client.closedWith).toBe('closed')
    expect(harness.engine.stats()).toMatchObject({ sessions: 0, connections: 0, subscriptions: 0, channels: 0 })
  })

  it('reads history, and refuses it where the rule keeps none', async () => {
    const client = await harness.connect({ token: 'ann' })
    for (let n = 1; n <= 3; n++) harness.engine.publish('open:a', { data: n })
    client.say({ type: 'history', id: 2, channel: 'open:a', limit: 2, reverse: true })
    expect(client.last('result').data).toMatchObject({ position: { offset: 3 }, publications: [{ data: 3 }, { data: 2 }] })
    client.say({ type: 'history', id: 3, channel: 'none:a' })
    expect(client.last('error')).toMatchObject({ id: 3, code: 'feature_disabled' })
  })

  it('calls rpc handlers, and hides what failed inside of them', async () => {
    harness.rpc.add('sum', (data) => (data as number[]).reduce((a, b) => a + b))
    harness.rpc.add('fail', () => {
      throw new Error('secret detail')
    })
    const client = await harness.connect({ token: 'ann' })
    client.say({ type: 'rpc', id: 2, method: 'sum', data: [1, 2] })
    client.say({ type: 'rpc', id: 3, method: 'fail' })
    client.say({ type: 'rpc', id: 4, method: 'nothing' })
    await turn()
    expect(client.last('result')).toEqual({ type: 'result', id: 2, data: 3 })
    expect(client.all('error').map(({ id, code }) => [id, code])).toEqual([
      [3, 'internal_error'],
      [4, 'method_not_found'],
    ])
    expect(JSON.stringify(client.received)).not.toContain('secret detail')
  })
})

describe('idempotency keys', () => {
  it('[S8] of clients are their own: nobody uses up those of another user or of the application', async () => {
    const clients = [await harness.connect({ token: 'a b' }), await harness.connect({ token: 'a' })]
    clients[0]?.say({ type: 'publish', id: 2, channel: 'open:a', data: 1, key: 'c' })
    clients[1]?.say({ type: 'publish', id: 2, channel: 'open:a', data: 2, key: 'b c' })
    const published = await harness.engine.publish('open:a', { data: 3 }, { idempotencyKey: 'a b c' })
    expect(clients.map((client) => client.last('result').data)).toMatchObject([
      { position: { offset: 1 } },
      { position: { offset: 2 } },
    ])
    expect(published).toMatchObject({ position: { offset: 3 }, duplicate: false })
    expect(await harness.engine.publish('open:a', { data: 3 }, { idempotencyKey: 'a b c' })).toMatchObject({ duplicate: true })
  })
})
