import { EngineHarness, HeldCalls, plainAuthenticator, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'

let harness: EngineHarness
beforeEach(async () => {
  harness = await EngineHarness.start()
})

describe('revoking', () => {
  it('refuses a target that names neither a token nor a user, or both', async () => {
    for (const target of [{}, { usr: 'ann' }, { token: 't1', user: 'ann' }] as unknown as { token: string }[])
      await expect(harness.engine.revoke(target)).rejects.toMatchObject({ code: 'invalid_field' })
    expect(harness.engine.stats().revocations).toBe(0)
  })
})

describe('revoking a token', () => {
  it('ends the sessions that were made with it at once, and no others', async () => {
    const revoked = await harness.connect({ token: 'ann#t1' })
    const other = await harness.connect({ token: 'ann#t2' })
    const anonymous = await harness.connect()
    expect(await harness.engine.revoke({ token: 't1' })).toBe(1)
    expect(revoked.closedWith).toBe('token_revoked')
    expect(revoked.last('disconnect')).toMatchObject({ closeCode: 4103, reconnect: true })
    expect([other.isOpen, anonymous.isOpen]).toEqual([true, true])
    expect(harness.engine.stats()).toMatchObject({ sessions: 2, revocations: 1, disconnects: { token_revoked: 1 } })
  })

  it('ends presence with the session', async () => {
    const revoked = await harness.connect({ token: 'ann#t1' })
    await harness.subscribe(revoked, 'open:a')
    await harness.engine.revoke({ token: 't1' })
    expect(await harness.engine.presence('open:a')).toEqual([])
  })

  it('refuses connect with it from then on, with a disconnect that asks for a new one', async () => {
    await harness.engine.revoke({ token: 't1' })
    const client = await harness.connect({ token: 'ann#t1' })
    expect(client.last('error')).toMatchObject({ id: 1, code: 'token_revoked', retryable: false })
    expect(client.closedWith).toBe('token_revoked')
    expect((await harness.connect({ token: 'ann#t2' })).isOpen).toBe(true)
  })

  it('ends a detached session, whose secret resumes nothing any more', async () => {
    const first = await harness.connect({ token: 'ann#t1' })
    first.cut()
    expect(await harness.engine.revoke({ token: 't1' })).toBe(1)
    expect(harness.engine.stats().sessions).toBe(0)
    const { resume } = first.last('connected')
    const second = await harness.connect({ token: 'ann#t2', resume })
    expect(second.last('connected').resumed).toBe(false)
  })

  it('reaches a session whose token came with refresh, and spares one that has left it behind', async () => {
    const taken = await harness.connect({ token: 'ann#old' })
    taken.say({ type: 'refresh', id: 2, token: 'ann#new' })
    await turn()
    await harness.engine.revoke({ token: 'old' })
    expect(taken.isOpen).toBe(true)
    await harness.engine.revoke({ token: 'new' })
    expect(taken.closedWith).toBe('token_revoked')
  })

  it('refuses refresh with it, and ends the session that brings it', async () => {
    const client = await harness.connect({ token: 'ann#t1' })
    await harness.engine.revoke({ token: 't2' })
    client.say({ type: 'refresh', id: 2, token: 'ann#t2' })
    await turn()
    expect(client.last('error')).toMatchObject({ id: 2, code: 'token_revoked' })
    expect(client.closedWith).toBe('token_revoked')
    expect(harness.engine.stats().sessions).toBe(0)
  })

  it('is not outrun by a connect whose token is being checked', async () => {
    const held = new HeldCalls()
    harness = await EngineHarness.start({ authenticator: held.of(plainAuthenticator, 'authenticate') })
    held.holding = 'answers'
    const client = harness.open()
    client.say({ type: 'connect', id: 1, token: 'ann#t1' })
    await harness.engine.revoke({ token: 't1' })
    held.release()
    await turn()
    expect(client.closedWith).toBe('token_revoked')
    expect(client.all('connected')).toEqual([])
  })
})

describe('revoking the tokens of a user', () => {
  it('ends all sessions of the user, attached and detached', async () => {
    const [attached, detached, bob] = [
      await harness.connect({ token: 'ann#t1+999000' }),
      await harness.connect({ token: 'ann' }),
      await harness.connect({ token: 'bob' }),
    ]
    detached.cut()
    expect(await harness.engine.revoke({ user: 'ann' })).toBe(2)
    expect(attached.closedWith).toBe('token_revoked')
    expect(bob.isOpen).toBe(true)
    expect(harness.engine.stats().sessions).toBe(1)
  })

  it('takes tokens of the same second, and says how long to wait for one that is good', async () => {
    harness.environment.advance(400)
    const client = await harness.connect({ token: 'ann+1000000' })
    await harness.engine.revoke({ user: 'ann' })
    expect(client.last('disconnect')).toMatchObject({ code: 'token_revoked', retryAfterMs: 600 })
    expect((await harness.connect({ token: 'ann+1000000' })).closedWith).toBe('token_revoked')
    expect((await harness.connect({ token: 'ann+1001000' })).isOpen).toBe(true)
  })

  it('spares tokens that were issued after issuedBefore', async () => {
    const [old, newer] = [await harness.connect({ token: 'ann+500000' }), await harness.connect({ token: 'ann+600000' })]
    expect(await harness.engine.revoke({ user: 'ann', issuedBefore: 550_000 })).toBe(1)
    expect([old.closedWith, newer.isOpen]).toEqual(['token_revoked', true])
    expect(old.last('disconnect')).not.toHaveProperty('retryAfterMs')
  })

  it('is forgotten after revocationTtlMs, or expiresInMs', async () => {
    await harness.engine.revoke({ user: 'ann' }, { expiresInMs: 1000 })
    await harness.engine.revoke({ user: 'bob' })
    harness.advance(1000)
    expect((await harness.connect({ token: 'ann+999000' })).isOpen).toBe(true)
    expect((await harness.connect({ token: 'bob+999000' })).closedWith).toBe('token_revoked')
    harness.environment.advance(86_400_000)
    expect((await harness.connect({ token: 'bob+999000' })).isOpen).toBe(true)
  })
})

describe('revoking a channel token', () => {
  const subscribe = async (token: string) => {
    const client = await harness.connect({ token: 'ann+1000000' })
    client.say({ type: 'subscribe', id: 2, channel: 'secret:a', token })
    await turn()
    return client
  }

  it('ends its subscriptions and leaves the sessions', async () => {
    const client = await subscribe('ann>secret:a#c1')
    expect(client.last('subscribed').channel).toBe('secret:a')
    expect(await harness.engine.revoke({ token: 'c1' })).toBe(0)
    expect(client.last('unsubscribed')).toMatchObject({ channel: 'secret:a', code: 'token_revoked' })
    expect(client.isOpen).toBe(true)
    expect(harness.engine.stats().subscriptions).toBe(0)
  })

  it('refuses subscribe and refresh with it', async () => {
    await harness.engine.revoke({ token: 'c2' })
    const client = await subscribe('ann>secret:a#c2')
    expect(client.last('error')).toMatchObject({ id: 2, channel: 'secret:a', code: 'token_revoked' })
    const other = await subscribe('ann>secret:a#c1')
    other.say({ type: 'refresh', id: 3, channel: 'secret:a', token: 'ann>secret:a#c2' })
    await turn()
    expect(other.last('error')).toMatchObject({ id: 3, code: 'token_revoked' })
    expect(harness.engine.stats().subscriptions).toBe(1)
  })

  it('goes by the newest token of a subscription', async () => {
    const client = await subscribe('ann>secret:a#c1')
    client.say({ type: 'refresh', id: 3, channel: 'secret:a', token: 'ann>secret:a#c2' })
    await turn()
    await harness.engine.revoke({ token: 'c1' })
    expect(client.all('unsubscribed')).toEqual([])
    await harness.engine.revoke({ token: 'c2' })
    expect(client.all('unsubscribed')).toHaveLength(1)
  })

  it("comes with the user's tokens, where the session's own is newer", async () => {
    const client = await subscribe('ann>secret:a+900000')
    expect(await harness.engine.revoke({ user: 'ann', issuedBefore: 950_000 })).toBe(0)
    expect(client.last('unsubscribed')).toMatchObject({ channel: 'secret:a', code: 'token_revoked' })
    expect(client.isOpen).toBe(true)
  })
})

describe('maxRevocations', () => {
  it('refuses one more, counts it, and goes on keeping the others', async () => {
    for (const token of ['t1', 't2', 't3']) await harness.engine.revoke({ token })
    await expect(harness.engine.revoke({ token: 't4' })).rejects.toMatchObject({ code: 'overloaded', retryable: true })
    expect(harness.engine.stats()).toMatchObject({ revocations: 3, refusals: { maxRevocations: 1 } })
    expect((await harness.connect({ token: 'ann#t1' })).closedWith).toBe('token_revoked')
  })
})
