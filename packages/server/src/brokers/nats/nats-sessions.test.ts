import { describeWith, eventually, sessionRecord, sessionStoreContract, startNats } from '@fusewire/testkit'
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { KvBucket } from './kv-bucket.ts'
import { unavailable } from './nats-error.ts'
import { NatsStores } from './testing/nats-stores.ts'

const TTL_MS = 600_000

const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'done',
    (error: unknown) => (error as { code?: unknown }).code,
  )

describeWith(['nats-server'], 'with a NATS server', () => {
  let server: Awaited<ReturnType<typeof startNats>>
  let stores: NatsStores
  beforeAll(async () => {
    server = await startNats()
  })
  afterAll(() => server.stop())
  afterEach(() => stores.close())

  sessionStoreContract(
    'the sessions in NATS',
    async ({ traceMs }) => {
      stores = new NatsStores([server.url])
      return {
        store: await stores.sessions('a', traceMs),
        another: (node) => stores.sessions(node, traceMs),
        pass: (ms) => stores.pass(ms),
        traceMs,
        forget: async () => {
          await server.restart({ empty: true })
          await eventually(() => stores.areUp)
        },
      }
    },
    { runs: 30, shortMs: 200 },
  )

  /** The store of one node, and how many marks it has written. */
  const watched = async () => {
    stores = new NatsStores([server.url])
    const store = await stores.sessions('a')
    await store.start({ lost: () => undefined, due: () => undefined })
    const put = vi.spyOn(KvBucket.prototype, 'put')
    onTestFinished(async () => {
      put.mockRestore()
      await store.close()
    })
    return { store, put, marks: () => put.mock.calls.filter(([key]) => key === 'n.a').length }
  }

  it('does not write for each look of a node that has nothing to end', async () => {
    const { store, marks } = await watched()
    for (let n = 0; n < 50; n++) expect(await store.expired(10, TTL_MS)).toEqual([])
    expect(marks()).toBeLessThan(10)
  })

  it('makes sure, before it ends anything, that it has heard what others have done', async () => {
    const { store, marks } = await watched()
    await store.put([sessionRecord('s1')], 1)
    await eventually(async () => {
      const before = marks()
      await store.expired(0, TTL_MS)
      expect(marks()).toBe(before + 1)
    })
    const before = marks()
    for (let n = 0; n < 5; n++) await store.expired(0, TTL_MS)
    expect(marks()).toBe(before + 5)
  })

  it('finds out within seconds that nobody can refresh, and does not forget it', { timeout: 30_000 }, async () => {
    const { store, put } = await watched()
    put.mockRejectedValue(unavailable('nobody leads it'))
    await eventually(async () => expect(await codeOf(store.expired(0, TTL_MS))).toBe('broker_unavailable'), { timeoutMs: 20_000 })
    for (let n = 0; n < 5; n++) expect(await codeOf(store.expired(0, TTL_MS))).toBe('broker_unavailable')
  })

  it('knows at once that nobody can refresh where it could not itself', async () => {
    const { store, put } = await watched()
    put.mockRejectedValue(unavailable('nobody leads it'))
    expect(await codeOf(store.refresh([], TTL_MS))).toBe('broker_unavailable')
    expect(await codeOf(store.expired(0, TTL_MS))).toBe('broker_unavailable')
    put.mockRestore()
    expect(await store.expired(0, TTL_MS)).toEqual([])
  })
})
