import { EngineHarness, HeldCalls, plainAuthenticator, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'

let harness: EngineHarness
beforeEach(async () => {
  harness = await EngineHarness.start()
})

describe('resuming', () => {
  it('[S] gives the session back with its subscriptions, and what was missed', async () => {
    const first = await harness.connect({ token: 'ann' })
    await harness.subscribe(first, 'open:a')
    harness.engine.publish('open:a', { data: 1 })
    first.cut()
    harness.engine.publish('open:a', { data: 2 })
    harness.engine.publish('open:a', { data: 3 })
    const { position } = first.last('subscribed')
    const second = await harness.connect({
      resume: first.last('connected').resume,
      subscriptions: [{ channel: 'open:a', since: { epoch: position.epoch, offset: 1 } }],
    })
    expect(second.last('connected')).toMatchObject({ resumed: true, session: first.last('connected').session, user: 'ann' })
    expect(second.last('subscribed')).toMatchObject({ recovered: true, publications: [{ data: 2 }, { data: 3 }] })
    harness.engine.publish('open:a', { data: 4 })
    expect(second.last('publication').data).toBe(4)
  })

  it('keeps a subscription that the client does not name, and says that it cannot know what is missing', async () => {
    const first = await harness.connect({ token: 'ann' })
    await harness.subscribe(first, 'open:a')
    first.cut()
    const second = await harness.connect({ resume: first.last('connected').resume })
    expect(second.last('subscribed')).toMatchObject({ channel: 'open:a', recovered: false })
    harness.engine.publish('open:a', { data: 1 })
    expect(second.all('publication')).toHaveLength(1)
  })

  it('says recovered: false when the history window was exceeded, the epoch is another, or nothing is kept', async () => {
    const client = await harness.connect()
    for (let n = 1; n <= 4; n++) harness.engine.publish('short:a', { data: n })
    for (let n = 1; n <= 4; n++) harness.engine.publish('none:a', { data: n })
    const { epoch } = (await harness.engine.history('short:a', {})).position
    const none = (await harness.engine.history('none:a', {})).position
    await harness.subscribe(client, 'short:a', { epoch, offset: 1 })
    expect(client.last('subscribed')).toMatchObject({ recovered: false })
    expect(client.last('subscribed').publications).toBeUndefined()
    await harness.subscribe(client, 'short:a', { epoch, offset: 2 })
    expect(client.last('subscribed')).toMatchObject({ recovered: true, publications: [{ data: 3 }, { data: 4 }] })
    await harness.subscribe(client, 'short:a', { epoch: 'other', offset: 4 })
    expect(client.last('subscribed').recovered).toBe(false)
    await harness.subscribe(client, 'none:a', { epoch: none.epoch, offset: 3 })
    expect(client.last('subscribed').recovered).toBe(false)
    await harness.subscribe(client, 'none:a', none)
    expect(client.last('subscribed').recovered).toBe(true)
  })

  it('closes the connection that a newer one replaces, and lets only the newer one live', async () => {
    const first = await harness.connect({ token: 'ann' })
    await harness.subscribe(first, 'open:a')
    const second = await harness.connect({ resume: first.last('connected').resume })
    expect(first.closedWith).toBe('session_replaced')
    harness.engine.publish('open:a', { data: 1 })
    expect(first.all('publication')).toHaveLength(0)
    expect(second.all('publication')).toHaveLength(1)
    expect(harness.engine.stats()).toMatchObject({ sessions: 1, detachedSessions: 0, connections: 1 })
  })

  it('makes a new session when the TTL has ended, when the token is unknown, or when it belongs to another user', async () => {
    const first = await harness.connect({ token: 'ann' })
    const { resume } = first.last('connected')
    const thief = await harness.connect({ resume, token: 'bob' })
    expect(thief.last('connected')).toMatchObject({ resumed: false, user: 'bob' })
    first.cut()
    harness.advance(61_000)
    expect((await harness.connect({ resume, token: 'ann' })).last('connected').resumed).toBe(false)
    expect((await harness.connect({ resume: 'guess', token: 'ann' })).last('connected').resumed).toBe(false)
  })

  it('keeps a session for its whole TTL, however long that is', async () => {
    harness = await EngineHarness.start({ limits: { sessionTtlMs: 600_000 } })
    const first = await harness.connect({ token: 'ann' })
    first.cut()
    harness.advance(599_000)
    expect(harness.engine.stats()).toMatchObject({ detachedSessions: 1, sessionsExpired: 0 })
    harness.advance(1500)
    expect(harness.engine.stats()).toMatchObject({ sessions: 0, sessionsExpired: 1 })
  })

  it('counts the TTL from the last break', async () => {
    let client = await harness.connect({ token: 'ann' })
    const { resume } = client.last('connected')
    for (let n = 0; n < 3; n++) {
      client.cut()
      harness.advance(40_000)
      client = await harness.connect({ resume })
      expect(client.last('connected').resumed).toBe(true)
    }
  })

  it('ends each session of many at the end of its own TTL', async () => {
    harness = await EngineHarness.start({ limits: { sessionTtlMs: 20_000 } })
    const first = await harness.connect({ token: 'ann' })
    const second = await harness.connect({ token: 'bob' })
    const third = await harness.connect({ token: 'cid' })
    first.cut()
    second.cut()
    harness.advance(8000)
    third.cut()
    await harness.connect({ resume: first.last('connected').resume })
    harness.advance(11_000)
    expect(harness.engine.stats()).toMatchObject({ detachedSessions: 2, sessionsExpired: 0 })
    harness.advance(1500)
    expect(harness.engine.stats()).toMatchObject({ detachedSessions: 1, sessionsExpired: 1 })
    harness.advance(8000)
    expect(harness.engine.stats()).toMatchObject({ detachedSessions: 0, sessionsExpired: 2 })
  })

  it('ends the only one that still waits, where another has come back', async () => {
    harness = await EngineHarness.start({ limits: { sessionTtlMs: 20_000 } })
    const [first, second] = [await harness.connect({ token: 'ann' }), await harness.connect({ token: 'bob' })]
    first.cut()
    second.cut()
    await harness.connect({ resume: first.last('connected').resume })
    harness.advance(20_500)
    expect(harness.engine.stats()).toMatchObject({ sessions: 1, detachedSessions: 0, sessionsExpired: 1 })
  })

  it('asks for a new token when the one of the session has ended', async () => {
    const first = await harness.connect({ token: `ann@${harness.environment.now() + 11_000}` })
    first.cut()
    harness.advance(12_000)
    const { resume } = first.last('connected')
    expect((await harness.connect({ resume })).closedWith).toBe('token_expired')
    const third = await harness.connect({ resume, token: 'ann' })
    expect(third.last('connected').resumed).toBe(true)
    harness.advance(20_000)
    expect(third.isOpen).toBe(true)
  })

  it('makes a new session when the old one has ended while the token was checked', async () => {
    const tokens = new HeldCalls()
    harness = await EngineHarness.start({ authenticator: tokens.of(plainAuthenticator, 'authenticate') })
    const first = await harness.connect({ token: 'ann' })
    await harness.subscribe(first, 'open:a')
    tokens.holding = 'calls'
    const second = await harness.connect({ resume: first.last('connected').resume, token: 'ann' })
    harness.engine.disconnectUser({ user: 'ann' })
    tokens.release()
    await turn()
    expect(second.last('connected').resumed).toBe(false)
    expect(harness.engine.stats()).toMatchObject({ sessions: 1, subscriptions: 0 })
  })

  it("[S9] keeps presence and tags of subscriptions that the client does not name, the token's channels among them", async () => {
    const first = await harness.connect({ token: 'auto' })
    first.say({ type: 'subscribe', channel: 'open:auto', presence: true, tags: { lang: 'cs' } })
    await turn()
    first.cut()
    const second = await harness.connect({ resume: first.last('connected').resume })
    expect(second.all('subscribed').map(({ channel, recovered }) => [channel, recovered])).toEqual([
      ['open:auto', false],
      ['secret:auto', false],
    ])
    for (const lang of ['cs', 'de']) harness.engine.publish('open:auto', { data: lang, tags: { lang } })
    expect(second.all('publication').map(({ data }) => data)).toEqual(['cs'])
    await harness.subscribe(await harness.connect({ token: 'bob' }), 'open:auto')
    expect(second.last('join').member.user).toBe('bob')
  })

  it('is for so many sessions of an address and of the node as may be connected, and those that wait longest give way', async () => {
    harness = await EngineHarness.start({ limits: { maxConnections: 3, maxConnectionsPerAddress: 2 } })
    const leave = async (remoteAddress: string) => {
      const client = await harness.connect({}, remoteAddress)
      const { resume } = client.last('connected')
      client.cut()
      return { remoteAddress, resume }
    }
    const isResumed = async ({ remoteAddress, resume }: Awaited<ReturnType<typeof leave>>) => {
      const client = await harness.connect({ resume }, remoteAddress)
      const { resumed } = client.last('connected')
      client.say({ type: 'disconnect' })
      return resumed
    }
    const left = []
    for (const address of ['203.0.113.1', '203.0.113.1', '203.0.113.1', '203.0.113.2', '203.0.113.3'])
      left.push(await leave(address))
    expect(harness.engine.stats()).toMatchObject({
      sessions: 3,
      detachedSessions: 3,
      refusals: { maxConnectionsPerAddress: 1, maxConnections: 1 },
    })
    const resumed = []
    for (const one of left) resumed.push(await isResumed(one))
    expect(resumed).toEqual([false, false, true, true, true])
    expect(harness.engine.stats()).toMatchObject({ sessions: 0, detachedSessions: 0, deadlines: 0 })
    for (let n = 0; n < 2; n++) await leave('203.0.113.1')
    expect(harness.engine.stats()).toMatchObject({ detachedSessions: 2, refusals: { maxConnectionsPerAddress: 1 } })
  })

  it('waits for the address that it left from, and comes back from another', async () => {
    harness = await EngineHarness.start({ limits: { maxConnectionsPerAddress: 1 } })
    const first = await harness.connect({}, '203.0.113.1')
    const { resume } = first.last('connected')
    first.cut()
    const second = await harness.connect({ resume }, '203.0.113.2')
    for (let n = 0; n < 2; n++) (await harness.connect({}, '203.0.113.1')).cut()
    second.cut()
    const third = await harness.connect({ resume: second.last('connected').resume }, '203.0.113.3')
    expect([second, third].map((client) => client.last('connected').resumed)).toEqual([true, true])
    expect(harness.engine.stats()).toMatchObject({ sessions: 2, refusals: { maxConnectionsPerAddress: 1 } })
  })

  it('leaves nothing behind after many rounds', async () => {
    for (let n = 0; n < 200; n++) {
      const client = await harness.connect({ token: `user${n}` })
      await harness.subscribe(client, 'open:a')
      if (n % 2) client.cut()
      else client.say({ type: 'disconnect' })
    }
    harness.advance(61_000)
    expect(harness.engine.stats()).toMatchObject({
      sessions: 0,
      detachedSessions: 0,
      connections: 0,
      subscriptions: 0,
      channels: 0,
    })
    expect(await harness.engine.presence('open:a')).toEqual([])
  })
})
