import { FusewireError } from '@fusewire/protocol'
import { EngineCluster, HeldCalls, sessionRecord, turn } from '@fusewire/testkit'
import { beforeEach, expect, it } from 'vitest'

/** After its last refresh a session has its TTL of a minute, the time until the next refresh, and a second. */
const TTL_MS = 60_000 + 20_000 + 1000

let cluster: EngineCluster
/** Looks for sessions that have expired. */
let looks: HeldCalls

beforeEach(async () => {
  looks = new HeldCalls()
  cluster = await EngineCluster.start({ nodes: 2, through: { sessions: (store) => looks.of(store, 'expired') } })
  cluster.hooks.wanted.add('disconnect')
})

const tellDue = () => cluster.node(1).line.tellDue()
const ended = () => cluster.hooks.of('disconnect').map(({ session }) => session)

/** A session whose node has died, and whose TTL ends in less than a second. */
const dying = async (): Promise<string> => {
  const client = await cluster.connect(0)
  cluster.kill(0)
  await cluster.advance(TTL_MS - 500)
  return client.last('connected').session
}
/** Nobody looks for sessions by itself meanwhile. */
const pass = (ms: number) => cluster.environment.advance(ms)

it('ends what has come due as soon as the store tells of it, and once', async () => {
  const session = await dying()
  tellDue()
  await turn()
  expect(ended()).toEqual([])
  pass(500)
  for (let n = 0; n < 3; n++) tellDue()
  await turn()
  expect(ended()).toEqual([session])
  tellDue()
  await cluster.advance(TTL_MS)
  expect(ended()).toEqual([session])
})

it('looks again for what comes due while it looks', async () => {
  const session = await dying()
  looks.holding = 'answers'
  tellDue()
  expect(looks.size).toBe(1)
  pass(500)
  tellDue()
  expect(looks.size).toBe(1)
  looks.holding = 'nothing'
  looks.release()
  await turn()
  expect(ended()).toEqual([session])
})

it('ends nothing that is due because the clock has leapt or every node stood still, before the clock has been looked at', async () => {
  const client = await cluster.connect(0)
  await cluster.advance(TTL_MS / 3)
  pass(TTL_MS + 1000)
  tellDue()
  await turn()
  expect(ended()).toEqual([])
  await cluster.advance(20_000)
  expect(ended()).toEqual([])
  expect(client.isOpen).toBe(true)
})

it('goes no further where the clock leaps while it looks', async () => {
  for (let n = 0; n < 150; n++) await cluster.connect(0)
  cluster.kill(0)
  await cluster.advance(TTL_MS - 500)
  looks.holding = 'answers'
  pass(500)
  tellDue()
  expect(looks.size).toBe(1)
  pass(TTL_MS)
  looks.holding = 'nothing'
  looks.release()
  await turn()
  expect(ended()).toHaveLength(100)
  await cluster.advance(20_000)
  expect(ended()).toHaveLength(100)
  await cluster.advance(5000)
  expect(ended()).toHaveLength(150)
})

it('ends nothing before every node has had time to refresh what it has, whatever the store tells', async () => {
  let sweeps = 0
  cluster = await EngineCluster.start({
    nodes: 1,
    through: {
      sessions: (store) => ({
        ...store,
        expired: (limit, leaseMs) => {
          if (limit > 0) sweeps++
          return store.expired(limit, leaseMs)
        },
      }),
    },
  })
  const { line } = cluster.node(0)
  const expectWait = async (ms: number): Promise<void> => {
    sweeps = 0
    for (let passed = 0; passed < ms; passed += 1000) {
      line.tellDue()
      await cluster.advance(1000)
      expect(sweeps).toBe(0)
    }
    await cluster.advance(5000)
    expect(sweeps).toBeGreaterThan(0)
  }
  await expectWait(19_000)
  line.become('away')
  await cluster.advance(3000)
  line.become('fine')
  await expectWait(17_000)
})

it('ends no more than a thousand in a second, however often the store tells of them', async () => {
  const dead = Array.from({ length: 2500 }, (_, n) => sessionRecord(`dead${n}`))
  cluster.kill(0)
  cluster.sessions.node('dead').put(dead, TTL_MS)
  await cluster.advance(TTL_MS - 500)
  pass(600)
  const endedIn = async (ms: number): Promise<number> => {
    const before = ended().length
    for (let passed = 0; passed < ms; passed += 250) {
      for (let n = 0; n < 3; n++) {
        tellDue()
        await turn()
      }
      await cluster.advance(250)
    }
    return ended().length - before
  }
  expect(await endedIn(750)).toBe(1000)
  expect(await endedIn(1000)).toBe(1000)
  expect(await endedIn(1000)).toBe(500)
})

it('ends nothing any more once its node leaves, and what it has begun before that', async () => {
  const session = await dying()
  const another = await cluster.connect(1)
  pass(500)
  looks.holding = 'answers'
  tellDue()
  let hasLeft = false
  const leaving = cluster
    .node(1)
    .harness.engine.close()
    .then(() => {
      hasLeft = true
    })
  for (let n = 0; n < 5; n++) await turn()
  expect(hasLeft).toBe(false)
  looks.holding = 'nothing'
  looks.release()
  await leaving
  expect(ended()).toEqual([session])
  expect(cluster.sessions.size).toBe(1)
  pass(TTL_MS)
  tellDue()
  cluster.node(1).harness.engine.tick()
  await turn()
  expect(ended()).toEqual([session])
  expect(another.isOpen).toBe(false)
})

it('ends sessions while the store takes no new ones, as one does that is full', async () => {
  let isFull = false
  cluster = await EngineCluster.start({
    nodes: 2,
    through: {
      sessions: (store) => ({
        ...store,
        put: (records, ttlMs) => {
          if (isFull) throw new FusewireError('broker_unavailable')
          return store.put(records, ttlMs)
        },
      }),
    },
  })
  cluster.hooks.wanted.add('disconnect')
  const gone = await cluster.connect(0)
  await cluster.advance(1000)
  cluster.kill(0)
  isFull = true
  for (let passed = 0; passed < TTL_MS; passed += 10_000) {
    // There is always one whom the store has not taken.
    await cluster.connect(1)
    await cluster.advance(10_000)
  }
  expect(ended()).toContain(gone.last('connected').session)
})
