import { setTimeout as delay } from 'node:timers/promises'
import { describeWith, eventually, type NatsServer, sessionRecord, startNats, startNatsCluster } from '@fusewire/testkit'
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest'
import type { NatsSessions } from './nats-sessions.ts'
import { NatsStores } from './testing/nats-stores.ts'

const TTL_MS = 600_000
const PATIENCE = { timeoutMs: 30_000, intervalMs: 50 }
const none = { lost: () => undefined, due: () => undefined }

const outcomeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'done',
    (error: unknown) => (error as { code?: unknown }).code,
  )

const ids = (count: number, name = 's'): string[] => Array.from({ length: count }, (_, n) => `${name}${n}`)
const records = (names: readonly string[]) => names.map((id) => sessionRecord(id))

describeWith(['nats-server'], 'the stores over a NATS that fails', () => {
  let server: NatsServer
  let stores: NatsStores
  beforeEach(async () => {
    server = await startNats()
    stores = new NatsStores([server.url], { timeoutMs: 1000 })
  })
  afterEach(async () => {
    stores.close()
    await server.stop()
  })

  const sessionsOf = async (...nodes: string[]): Promise<NatsSessions[]> => {
    const opened: NatsSessions[] = []
    for (const node of nodes) {
      const sessions = await stores.sessions(node)
      await sessions.start(none)
      onTestFinished(() => sessions.close())
      opened.push(sessions)
    }
    return opened
  }

  it('find their sessions again when it is killed and comes back', async () => {
    const [a, b] = (await sessionsOf('a', 'b')) as [NatsSessions, NatsSessions]
    const names = ids(50)
    await a.put(records(names), TTL_MS)
    await b.take('s0', TTL_MS)
    await server.kill()
    expect(await outcomeOf(a.refresh(names, TTL_MS))).toBe('broker_unavailable')
    await server.restart()
    await eventually(async () => expect(await a.refresh(names, TTL_MS)).toEqual({ lost: ['s0'], unknown: [] }), PATIENCE)
    await eventually(async () => expect(await b.refresh(['s0'], TTL_MS)).toEqual({ lost: [], unknown: [] }), PATIENCE)
    expect(await b.take('s1', TTL_MS)).toEqual(sessionRecord('s1'))
    expect(await a.remove(names)).toEqual(names.slice(2))
  })

  it('keep calls no longer than their time while it stands still, and go on when it wakes', async () => {
    const [a] = (await sessionsOf('a')) as [NatsSessions]
    await a.put(records(['s1']), TTL_MS)
    server.suspend()
    await eventually(async () => expect(await outcomeOf(a.put(records(['s2']), TTL_MS))).toBe('broker_unavailable'), PATIENCE)
    await eventually(() => expect(stores.areUp).toBe(false), PATIENCE)
    // Nobody is dead as far as is known; but nobody could have told that it is not.
    expect(await outcomeOf(a.expired(0, TTL_MS))).toBe('broker_unavailable')
    server.wake()
    await eventually(async () => expect(await a.put(records(['s1', 's2']), TTL_MS)).toEqual([]), PATIENCE)
    expect(await a.refresh(['s1', 's2'], TTL_MS)).toEqual({ lost: [], unknown: [] })
  })

  it('put presence and revocations back into one that comes back empty', async () => {
    const presence = await stores.presence('a', TTL_MS)
    const revocations = stores.revocations('a', 10)
    await revocations.start({ revoked: () => undefined })
    await presence.add('room', { session: 's1' })
    await revocations.revoke({ token: 't1' }, Date.now() + TTL_MS)
    await server.restart({ empty: true })
    await eventually(async () => {
      await presence.refresh('room', [{ session: 's1' }, { session: 's2' }])
      expect(await presence.count('room')).toMatchObject({ sessions: 2 })
    }, PATIENCE)
    await eventually(async () => {
      const other = stores.revocations('b', 10)
      await other.start({ revoked: () => undefined })
      const knows = other.isRevoked({ tokenId: 't1' })
      await other.close()
      expect(knows).toBe(true)
    }, PATIENCE)
    await presence.close()
    await revocations.close()
  })
})

describeWith(['nats-server'], 'the stores over three NATS servers of which one fails', () => {
  it.each([
    ['with what it had', false],
    ['empty', true],
  ])('lose nothing, and give each session to one node; the server comes back %s', { timeout: 120_000 }, async (_, empty) => {
    await using cluster = await startNatsCluster()
    const stores = new NatsStores(cluster.urls, { replicas: 3, timeoutMs: 2000 })
    onTestFinished(() => stores.close())
    const [a, b] = [await stores.sessions('a'), await stores.sessions('b')]
    for (const sessions of [a, b]) await sessions.start(none)
    const kept: string[] = []
    let isOver = false
    const writing = (async () => {
      for (let n = 0; !isOver; n++) {
        if ((await outcomeOf(a.put(records([`s${n}`]), TTL_MS))) === 'done') kept.push(`s${n}`)
        // Who is cut off is refused at once.
        else await delay(20)
      }
    })()
    await eventually(() => kept.length > 20, PATIENCE)
    await cluster.kill(0)
    const before = kept.length
    await eventually(() => kept.length > before + 20, PATIENCE)
    await cluster.restart(0, { empty })
    isOver = true
    await writing
    const taken = kept.slice(0, 10)
    await eventually(async () => {
      for (const id of taken) expect(await b.take(id, TTL_MS)).toEqual(sessionRecord(id))
    }, PATIENCE)
    await eventually(async () => expect(await a.refresh(kept, TTL_MS)).toEqual({ lost: taken, unknown: [] }), PATIENCE)
    await eventually(async () => expect(await b.refresh(taken, TTL_MS)).toEqual({ lost: [], unknown: [] }), PATIENCE)
  })
})
