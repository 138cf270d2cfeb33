import {
  describeWith,
  type NatsClusterServers,
  nodeBusContract,
  presenceContract,
  revocationsContract,
  sessionStoreContract,
  startNatsCluster,
} from '@fusewire/testkit'
import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { NatsStores } from './testing/nats-stores.ts'

const TTL_MS = 2000
const REPLICAS = 3

/** Replicas answer at different times, and whoever asks another server than the one that leads must not notice. */
describeWith(['nats-server'], 'over a cluster of three NATS servers', () => {
  let cluster: NatsClusterServers
  let stores: NatsStores
  beforeAll(async () => {
    cluster = await startNatsCluster()
  }, 90_000)
  afterAll(() => cluster.stop())
  afterEach(async () => {
    await stores.forget()
    stores.close()
  })

  const open = (): NatsStores => {
    stores = new NatsStores(cluster.urls, { replicas: REPLICAS })
    return stores
  }

  sessionStoreContract(
    'the sessions in NATS',
    async ({ traceMs }) => ({
      store: await open().sessions('a', traceMs),
      another: (node) => stores.sessions(node, traceMs),
      pass: (ms) => stores.pass(ms),
      traceMs,
    }),
    { runs: 10, shortMs: 400 },
  )

  presenceContract('presence in NATS', async () => ({
    presence: await open().presence('a', TTL_MS),
    another: () => stores.presence('b', TTL_MS),
    ttlMs: TTL_MS,
    pass: (ms) => stores.pass(ms),
  }))

  revocationsContract('revocations in NATS', async ({ maxRevocations }) => ({
    revocations: open().revocations('a', maxRevocations),
    now: Date.now,
    pass: (ms) => stores.pass(ms),
    another: () => stores.revocations('b', maxRevocations),
  }))

  describe('the bus', () => {
    beforeAll(() => open())
    nodeBusContract('the bus over NATS', () => stores.bus(), { spreads: true })
  })
})
