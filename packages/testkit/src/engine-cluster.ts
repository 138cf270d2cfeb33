import {
  type Broker,
  type ChannelRule,
  MemoryBroker,
  MemorySessions,
  type PresenceStore,
  type SessionStore,
  SharedPresence,
} from '@fusewire/engine'
import type { ClientMessage } from '@fusewire/protocol'
import { EngineHarness, type EngineHarnessOptions } from './engine-harness.ts'
import { FakeEnvironment } from './fake-environment.ts'
import { FakeHooks } from './fake-hooks.ts'
import { MemoryConnection } from './memory-connection.ts'
import { NodeLine } from './node-line.ts'
import { SharedBroker } from './shared-broker.ts'
import { turn } from './turn.ts'

export interface EngineClusterOptions {
  /** How many nodes it begins with. Default 2. */
  readonly nodes?: number
  readonly limits?: EngineHarnessOptions['limits']
  readonly rules?: Readonly<Record<string, ChannelRule>>
  /** How long presence stays that nobody refreshes, in milliseconds. Default 600,000. */
  readonly presenceTtlMs?: number
  /** Stand between the nodes and what they share. */
  readonly through?: {
    readonly broker?: (broker: Broker) => Broker
    readonly presence?: (presence: PresenceStore) => PresenceStore
    readonly sessions?: (store: SessionStore, line: NodeLine) => SessionStore
  }
}

/** One engine of a cluster. */
export interface ClusterNode {
  readonly name: string
  readonly harness: EngineHarness
  readonly line: NodeLine
  readonly connections: MemoryConnection[]
  /** What clients have said while it was still. */
  readonly unheard: (() => void)[]
}

const TICK_MS = 250

/** Engines in memory that share a broker, presence, sessions, an application and one clock. */
export class EngineCluster {
  readonly environment = new FakeEnvironment()
  readonly hooks = new FakeHooks()
  readonly sessions = new MemorySessions(this.environment)
  readonly presence: SharedPresence
  readonly nodes: ClusterNode[] = []
  readonly #broker = new SharedBroker(new MemoryBroker(this.environment))
  readonly #options: EngineClusterOptions

  private constructor(options: EngineClusterOptions) {
    this.#options = options
    this.presence = new SharedPresence(this.environment, { ttlMs: options.presenceTtlMs ?? 600_000 })
  }

  static async start(options: EngineClusterOptions = {}): Promise<EngineCluster> {
    const cluster = new EngineCluster(options)
    for (let n = 0; n < (options.nodes ?? 2); n++) await cluster.add()
    return cluster
  }

  /** One more node. */
  async add(): Promise<ClusterNode> {
    const { limits, rules, through = {} } = this.#options
    const name = `node${this.nodes.length}`
    const line = new NodeLine()
    const broker = this.#broker.node()
    const presence = this.presence.node()
    const store = this.sessions.node(name)
    const harness = await EngineHarness.start({
      environment: this.environment,
      node: name,
      broker: () => line.broker(through.broker?.(broker) ?? broker),
      presence: line.calls(through.presence?.(presence) ?? presence),
      sessionStore: line.sessionStore(through.sessions?.(store, line) ?? store),
      hooks: this.hooks,
      ...(limits && { limits }),
      ...(rules && { rules }),
    })
    const node = { name, harness, line, connections: [], unheard: [] }
    this.nodes.push(node)
    return node
  }

  node(index: number): ClusterNode {
    const node = this.nodes[index]
    if (!node) throw new Error(`there is no node ${index}`)
    return node
  }

  /** A connection to this node, which hears nothing of it while it is still. */
  open(index: number): MemoryConnection {
    const node = this.node(index)
    const connection = new MemoryConnection((opened) => node.harness.engine.open(opened))
    node.connections.push(connection)
    if (node.line.state === 'dead') connection.cut()
    return connection
  }

  /** What a client says, once the node hears it. */
  say(index: number, connection: MemoryConnection, message: ClientMessage): void {
    this.#hear(index, () => connection.say(message))
  }

  /** The client's line breaks. */
  cut(index: number, connection: MemoryConnection): void {
    this.#hear(index, () => connection.cut())
  }

  /** A client whose `connect` has been answered. */
  async connect(index: number, message: Partial<Extract<ClientMessage, { type: 'connect' }>> = {}): Promise<MemoryConnection> {
    const connection = this.open(index)
    this.say(index, connection, { type: 'connect', id: 1, ...message })
    await turn()
    return connection
  }

  /** A node ends without a word: its connections break, and nothing of it happens any more. */
  kill(index: number): void {
    const { line, connections, unheard } = this.node(index)
    line.become('dead')
    unheard.length = 0
    for (const connection of connections) connection.cut()
  }

  /** A node stands still: SIGSTOP. */
  stop(index: number): void {
    this.node(index).line.become('still')
  }

  /** And goes on: it hears first what clients have said meanwhile, and then what it shares with others. */
  wake(index: number): void {
    const node = this.node(index)
    if (node.line.state !== 'still') return
    for (const heard of node.unheard.splice(0)) heard()
    node.line.become('fine')
  }

  /** A node leaves well. */
  async leave(index: number): Promise<void> {
    const { harness, line } = this.node(index)
    await harness.engine.close()
    line.become('dead')
  }

  /** Lets time pass, and whoever runs notice. */
  async advance(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      this.environment.advance(TICK_MS)
      for (const { harness, line } of this.nodes) if (line.state === 'fine' || line.state === 'away') harness.engine.tick()
      await turn()
    }
  }

  #hear(index: number, work: () => void): void {
    const { line, unheard } = this.node(index)
    if (line.state === 'still') unheard.push(work)
    else work()
  }
}
