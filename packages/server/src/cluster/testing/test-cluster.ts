import { MemoryBus, type NodeBus } from '@fusewire/engine'
import { Cluster } from '../cluster.ts'
import type { NodeFacts } from '../node-facts.ts'

export const factsOf = (node: string, more: Partial<NodeFacts> = {}): NodeFacts => ({
  node,
  version: '1.2.3',
  state: 'serving',
  startedAt: 1_700_000_000_000,
  host: 'host-1',
  connections: 0,
  sessions: 0,
  subscriptions: 0,
  channels: 0,
  ...more,
})

export interface TestNode {
  readonly cluster: Cluster
  readonly lines: [string, Readonly<Record<string, unknown>>][]
  /** It hears nothing and is not heard, and does not know. */
  isCutOff: boolean
}

/** Nodes over one bus in memory, on a clock that moves when told to. */
export class TestCluster {
  readonly bus = new MemoryBus()
  readonly #nodes: TestNode[] = []
  #now = 1000

  readonly now = (): number => this.#now

  async node(
    id: string,
    { facts, bus = this.bus.node() }: { facts?: Partial<NodeFacts>; bus?: NodeBus } = {},
  ): Promise<TestNode> {
    const node: TestNode = {
      cluster: new Cluster({
        node: id,
        bus: {
          start: (name, { message }) => bus.start(name, { message: (payload) => node.isCutOff || message(payload) }),
          send: (payload, to) => (node.isCutOff ? undefined : bus.send(payload, to)),
          close: () => bus.close(),
        },
        now: this.now,
        isCutOff: () => false,
        log: (event, details) => node.lines.push([event, details]),
      }),
      lines: [],
      isCutOff: false,
    }
    this.#nodes.push(node)
    await node.cluster.start(() => factsOf(id, facts))
    await delivered()
    return node
  }

  /** Lets time pass for these nodes, or for all, as their clocks see it: a quarter of a second at a time. */
  async pass(ms: number, nodes: readonly TestNode[] = this.#nodes): Promise<void> {
    for (let passed = 0; passed < ms; passed += 250) {
      this.#now += 250
      for (const { cluster } of nodes) cluster.tick(this.#now)
      await delivered()
    }
  }

  /** Time in which nobody does anything. */
  leap(ms: number): void {
    this.#now += ms
  }
}

/** Until everything has arrived that was sent, and what was sent upon it. */
export const delivered = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export const known = ({ cluster }: TestNode): string[] => cluster.others.map(({ node }) => node)
