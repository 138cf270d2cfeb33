import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { KvBucket } from '../kv-bucket.ts'
import { parseNatsAddresses } from '../nats-address.ts'
import { NatsLink } from '../nats-link.ts'
import { NatsSessions } from '../nats-sessions.ts'
import { ServerClock } from '../server-clock.ts'

const MAX_AGE_MS = 600_000

/** Stores of several nodes over one NATS, under a prefix that nothing else has used. */
export class NatsStores {
  readonly #addresses: readonly string[]
  readonly #replicas: number
  readonly #prefix = `t${randomUUID().slice(0, 8)}`
  readonly #links: NatsLink[] = []
  readonly #closers: (() => unknown)[] = []

  constructor(addresses: readonly string[], replicas = 1) {
    this.#addresses = addresses
    this.#replicas = replicas
  }

  /** Whether every node can use NATS at the moment. */
  get areUp(): boolean {
    return this.#links.every(({ isUp }) => isUp)
  }

  pass(ms: number): Promise<void> {
    return delay(ms + 1)
  }

  async sessions(node: string, traceMs = 300): Promise<NatsSessions> {
    const { link, bucket } = this.#open('sessions')
    const sessions = new NatsSessions(link, bucket, new ServerClock({ now: Date.now }), { node, traceMs })
    await link.open()
    const sweeping = setInterval(() => sessions.sweep(), 100)
    this.#closers.push(() => clearInterval(sweeping))
    return sessions
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close()
    for (const link of this.#links.splice(0)) link.close()
  }

  #open(name: string): { link: NatsLink; bucket: KvBucket } {
    const link = new NatsLink(
      { addresses: parseNatsAddresses(this.#addresses), timeoutMs: 5000, name: `test of ${name}` },
      Math.random,
    )
    this.#links.push(link)
    const bucket = new KvBucket(link, `${this.#prefix}-${name}`, { replicas: this.#replicas, maxAgeMs: MAX_AGE_MS })
    link.use({ prepare: (session) => bucket.ensure(session) })
    return { link, bucket }
  }
}
