import { EngineHarness } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'

let harness: EngineHarness
beforeEach(async () => {
  harness = await EngineHarness.start()
})

describe('giving the identity of a user another end', () => {
  it('ends connections at the new end, also where there was none', async () => {
    const [one, two, other] = [
      await harness.connect({ token: 'ann' }),
      await harness.connect({ token: 'ann@1200000' }),
      await harness.connect({ token: 'bob' }),
    ]
    expect(harness.engine.refreshUser({ user: 'ann' }, 3000)).toBe(2)
    harness.advance(2500)
    expect([one.isOpen, two.isOpen]).toEqual([true, true])
    harness.advance(1000)
    expect([one.closedWith, two.closedWith, other.closedWith]).toEqual(['token_expired', 'token_expired', undefined])
    // The secret vouches for nobody any more.
    const again = await harness.connect({ resume: one.last('connected').resume })
    expect(again.closedWith).toBe('token_expired')
  })

  it('ends connections at once, and keeps the sessions for a new token', async () => {
    const client = await harness.connect({ token: 'ann' })
    const { session, resume } = client.last('connected')
    expect(harness.engine.refreshUser({ session }, 0)).toBe(1)
    expect(client.closedWith).toBe('token_expired')
    const again = await harness.connect({ token: 'ann', resume })
    expect(again.last('connected')).toMatchObject({ session, resumed: true })
  })

  it('takes the end away, and keeps what else the identity is', async () => {
    const client = await harness.connect({ token: 'admin@1003000' })
    harness.engine.refreshUser({ user: 'admin' })
    harness.advance(20_000)
    expect(client.isOpen).toBe(true)
    client.say({ type: 'publish', id: 1, channel: 'secret:x', data: 1 })
    expect(client.last('result').id).toBe(1)
  })

  it('is about sessions that wait for their client too', async () => {
    const client = await harness.connect({ token: 'ann' })
    client.cut()
    expect(harness.engine.refreshUser({ user: 'ann' }, 0)).toBe(1)
    expect((await harness.connect({ resume: client.last('connected').resume })).closedWith).toBe('token_expired')
    expect(harness.engine.refreshUser({ user: 'nobody' }, 0)).toBe(0)
  })
})

describe('moving a user', () => {
  it('tells the clients to come back, and keeps their sessions', async () => {
    const clients = [await harness.connect({ token: 'ann' }), await harness.connect({ token: 'ann' })]
    const away = await harness.connect({ token: 'ann' })
    away.cut()
    expect(harness.engine.moveUser({ user: 'ann' })).toBe(2)
    for (const client of clients) expect(client.last('disconnect')).toMatchObject({ code: 'server_draining', reconnect: true })
    for (const client of clients)
      expect((await harness.connect({ resume: client.last('connected').resume })).last('connected').resumed).toBe(true)
    expect(harness.engine.moveUser({ user: 'bob' })).toBe(0)
  })
})
