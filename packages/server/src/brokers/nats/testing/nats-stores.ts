import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { nodeEnvironment } from '../../../node-environment.ts'
import { KvBucket } from '../kv-bucket.ts'
import { parseNatsAddresses } from '../nats-address.ts'
import { NatsBus } from '../nats-bus.ts'
import { NatsLink } from '../nats-link.ts'
import { NatsPresence } from '../nats-presence.ts'
import { NatsRevocations } from '../nats-revocations.ts'
import { NatsSessions } from '../nats-sessions.ts'
import { ServerClock } from '../server-clock.ts'
import { askJetStream } from '../stream-api.ts'

const MAX_AGE_MS = 600_000
const SWEEP_MS = 100
const TRACE_MS = 600_000

/** Stores of several nodes over one NATS, under a prefix that nothing else has used. */
export class NatsStores {
  readonly #addresses: readonly string[]
  readonly #replicas: number
  readonly #timeoutMs: number
  readonly #prefix = `t${randomUUID().slice(0, 8)}`
  readonly #links: NatsLink[] = []
  readonly #streams = new Set<string>()
  readonly #sweeping: NodeJS.Timeout[] = []

  constructor(addresses: readonly string[], { replicas = 1, timeoutMs = 5000 } = {}) {
    this.#addresses = addresses
    this.#replicas = replicas
    this.#timeoutMs = timeoutMs
  }

  /** Whether every node can use NATS at the moment. */
  get areUp(): boolean {
    return this.#links.every(({ isUp }) => isUp)
  }

  pass(ms: number): Promise<void> {
    return delay(ms + 1)
  }

  async sessions(node: string, traceMs = TRACE_MS): Promise<NatsSessions> {
    const { link, bucket, clock } = this.#open('sessions')
    return this.#swept(new NatsSessions(link, bucket, clock, { node, traceMs }))
  }

  async presence(node: string, ttlMs: number): Promise<NatsPresence> {
    const { link, bucket, clock } = this.#open('presence')
    const presence = this.#swept(new NatsPresence(link, bucket, clock, { node, ttlMs }))
    await link.open()
    return presence
  }

  revocations(node: string, maxRevocations: number): NatsRevocations {
    const { link, bucket, clock } = this.#open('revocations')
    return this.#swept(new NatsRevocations(link, bucket, clock, nodeEnvironment, { node, maxRevocations }))
  }

  bus(): NatsBus {
    return new NatsBus(this.#open('bus').link, this.#prefix)
  }

  /** Removes everything that these stores have kept. */
  async forget(): Promise<void> {
    const link = this.#links.find(({ isUp }) => isUp)
    if (!link) return
    for (const stream of this.#streams) await askJetStream(link.session(), `STREAM.DELETE.${stream}`).catch(() => undefined)
  }

  close(): void {
    for (const sweeping of this.#sweeping.splice(0)) clearInterval(sweeping)
    for (const link of this.#links.splice(0)) link.close()
  }

  #swept<T extends { sweep(): void }>(store: T): T {
    this.#sweeping.push(setInterval(() => store.sweep(), SWEEP_MS))
    return store
  }

  #open(name: string): { link: NatsLink; bucket: KvBucket; clock: ServerClock } {
    const link = new NatsLink(
      { addresses: parseNatsAddresses(this.#addresses), timeoutMs: this.#timeoutMs, name: `test of ${name}` },
      Math.random,
    )
    this.#links.push(link)
    const bucket = new KvBucket(link, `${this.#prefix}-${name}`, { replicas: this.#replicas, maxAgeMs: MAX_AGE_MS })
    this.#streams.add(bucket.stream)
    link.use({ prepare: (session) => bucket.ensure(session) })
    return { link, bucket, clock: new ServerClock(nodeEnvironment) }
  }
}
