import type { BrokerUnderTest } from '@fusewire/testkit'
import { eventually, FakeEnvironment, FaultProxy } from '@fusewire/testkit'
import { parseNatsAddresses } from '../nats-address.ts'
import { NatsBroker } from '../nats-broker.ts'
import { NatsLink } from '../nats-link.ts'

export const IDEMPOTENCY_TTL_MS = 60_000

export interface Node {
  readonly link: NatsLink
  readonly broker: NatsBroker
}

export interface NodesOptions {
  /** Default 1. */
  readonly replicas?: number
  /** Default 3,000. */
  readonly timeoutMs?: number
}

let made = 0

/** Brokers of several nodes over the same servers, with a prefix of their own. */
export class BrokerNodes {
  readonly environment = new FakeEnvironment(Date.now())
  readonly prefix = `test-${process.pid}-${++made}`
  readonly #options: Required<NodesOptions>
  readonly #nodes: Node[] = []

  constructor(options: NodesOptions = {}) {
    this.#options = { replicas: 1, timeoutMs: 3_000, ...options }
  }

  make(urls: readonly string[]): Node {
    const { replicas, timeoutMs } = this.#options
    const random = (): number => this.environment.random()
    const link = new NatsLink({ addresses: parseNatsAddresses(urls), timeoutMs, name: 'test' }, random)
    const broker = new NatsBroker(link, this.environment, { prefix: this.prefix, replicas, idempotencyTtlMs: IDEMPOTENCY_TTL_MS })
    const node = { link, broker }
    this.#nodes.push(node)
    return node
  }

  /** Lets time pass for everything but the network. */
  pass(ms: number): void {
    this.environment.advance(ms)
    for (const { broker } of this.#nodes) broker.sweep()
  }

  close(): void {
    for (const { broker } of this.#nodes) broker.close()
  }
}

/** For `brokerContract`: the broker reaches its server through a line that is cut, other nodes do not. */
export const brokerUnderTest = async (
  urls: readonly string[],
  options: NodesOptions,
  lines: FaultProxy[],
): Promise<BrokerUnderTest> => {
  const nodes = new BrokerNodes(options)
  const line = await FaultProxy.start(Number(new URL(urls[0] ?? '').port))
  lines.push(line)
  const { broker, link } = nodes.make([`nats://127.0.0.1:${line.port}`])
  const pass = async (ms: number): Promise<void> => {
    nodes.pass(ms)
    // What the sweep has begun is done before what is asked for now.
    for (const channel of ['a', 'b']) await broker.history(channel, { limit: 0 })
  }
  const interrupt = async (meanwhile: () => Promise<void>): Promise<void> => {
    line.sever()
    await eventually(() => !link.isUp)
    await meanwhile()
    line.mend()
    await eventually(() => link.isUp, { timeoutMs: 10_000 })
  }
  return { broker, pass, idempotencyTtlMs: IDEMPOTENCY_TTL_MS, another: () => nodes.make(urls).broker, interrupt }
}
