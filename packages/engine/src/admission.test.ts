import { EngineHarness, turn } from '@fusewire/testkit'
import { describe, expect, it } from 'vitest'
import { Admission } from './admission.ts'

describe('Admission', () => {
  it('counts addresses by their group, and not at all where there is none', () => {
    const admission = new Admission({ maxConnections: 5, maxConnectionsPerAddress: 2 }, (address) =>
      address === 'proxy' ? undefined : address.slice(0, 1),
    )
    expect(['a1', 'a2', 'a3'].map((address) => admission.enter(address))).toEqual([
      undefined,
      undefined,
      'maxConnectionsPerAddress',
    ])
    expect(['proxy', 'proxy', 'proxy', 'b1'].map((address) => admission.enter(address))).toEqual([
      undefined,
      undefined,
      undefined,
      'maxConnections',
    ])
    admission.leave('a1')
    expect(admission.enter('a3')).toBeUndefined()
  })
})

describe('[P20] maxConnectionsPerAddress', () => {
  it('ends one connection too many, says when to come back, and takes another when one has gone', async () => {
    const harness = await EngineHarness.start({ limits: { maxConnectionsPerAddress: 2 } })
    const [first] = [await harness.connect(), await harness.connect()]
    const third = await harness.connect()
    expect(third.closedWith).toBe('too_many_connections')
    expect(third.last('disconnect')).toMatchObject({ closeCode: 4006, reconnect: true, retryAfterMs: 10_000 })
    expect(third.all('connected')).toEqual([])
    expect(harness.engine.stats()).toMatchObject({ connections: 2, refusals: { maxConnectionsPerAddress: 1 } })
    first?.cut()
    expect((await harness.connect()).isOpen).toBe(true)
  })
})

describe('[P20] maxConnections', () => {
  it('ends one connection too many of the node', async () => {
    const harness = await EngineHarness.start({ limits: { maxConnections: 1 } })
    await harness.connect()
    const second = harness.open()
    await turn()
    expect(second.closedWith).toBe('overloaded')
    expect(second.last('disconnect')).toMatchObject({ closeCode: 4004, retryAfterMs: 10_000 })
    expect(harness.engine.stats()).toMatchObject({ connections: 1, refusals: { maxConnections: 1 } })
  })
})

describe('[P20] maxConnectionsPerUser', () => {
  it('refuses connect for one connection too many of the user, and no other user', async () => {
    const harness = await EngineHarness.start({ limits: { maxConnectionsPerUser: 2 } })
    const clients = [await harness.connect({ token: 'ann' }), await harness.connect({ token: 'ann' })]
    const third = await harness.connect({ token: 'ann' })
    expect(third.last('error')).toMatchObject({ id: 1, code: 'too_many_connections', retryAfterMs: 10_000 })
    expect(third.last('disconnect')).toMatchObject({ closeCode: 4006, reconnect: true, retryAfterMs: 10_000 })
    expect(clients.map(({ isOpen }) => isOpen)).toEqual([true, true])
    expect((await harness.connect({ token: 'bob' })).isOpen).toBe(true)
    expect(harness.engine.stats().refusals).toEqual({ maxConnectionsPerUser: 1 })
  })

  it('lets a client resume its session at the limit', async () => {
    const harness = await EngineHarness.start({ limits: { maxConnectionsPerUser: 1 } })
    const first = await harness.connect({ token: 'ann' })
    first.cut()
    const second = await harness.connect({ token: 'ann', resume: first.last('connected').resume })
    expect(second.last('connected').resumed).toBe(true)
  })

  it('gives up the oldest session that waits for its client, so that clients that do not resume keep nobody out', async () => {
    const harness = await EngineHarness.start({ limits: { maxConnectionsPerUser: 3 } })
    const stays = await harness.connect({ token: 'ann' })
    for (let n = 0; n < 10; n++) (await harness.connect({ token: 'ann' })).cut()
    expect(stays.isOpen).toBe(true)
    expect(harness.engine.stats()).toMatchObject({ sessions: 3, detachedSessions: 2 })
  })

  it('does not count anonymous clients', async () => {
    const harness = await EngineHarness.start({ limits: { maxConnectionsPerUser: 1 } })
    for (let n = 0; n < 3; n++) expect((await harness.connect()).isOpen).toBe(true)
  })
})
