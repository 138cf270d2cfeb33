import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { FusewireInput } from '@fusewire/server'
import { eventually, FaultProxy, type Random } from '@fusewire/testkit'
import { FusewireProcess } from '../fusewire-process.ts'
import { Balancer } from '../rolling-restart/balancer.ts'
import type { Endpoints } from '../wire/way.ts'
import type { BrokerServers } from './broker-servers.ts'

/** How long a node may take until it says that it is ready: membership, the broker and what it had to catch up with. */
const READY_TIMEOUT_MS = 30_000

export interface NodesOptions {
  readonly options: FusewireInput
  /** Flags of Node itself, for each of them. */
  readonly nodeFlags?: readonly string[]
}

interface Node {
  readonly process: FusewireProcess
  /** Between it and each of the broker's servers; none where it is told of their addresses. */
  readonly lines: readonly FaultProxy[]
}

/** Several `fusewire serve` over one broker, behind a balancer that sends each connection to any of those that are well. */
export class ClusterNodes implements AsyncDisposable {
  readonly #broker: BrokerServers
  readonly #options: FusewireInput
  readonly #nodeFlags: readonly string[]
  readonly #random: Random
  readonly #folder = mkdtempSync(join(tmpdir(), 'fusewire-nodes-'))
  readonly #nodes: Node[] = []
  readonly #tls: Balancer
  readonly #cleartext: Balancer
  /** What nodes that are gone have logged. */
  #log = ''

  private constructor(broker: BrokerServers, { options, nodeFlags = [] }: NodesOptions, random: Random) {
    this.#broker = broker
    this.#options = options
    this.#nodeFlags = nodeFlags
    this.#random = random.fork()
    this.#tls = new Balancer(random.fork())
    this.#cleartext = new Balancer(random.fork())
  }

  static async start(count: number, broker: BrokerServers, options: NodesOptions, random: Random): Promise<ClusterNodes> {
    const cluster = new ClusterNodes(broker, options, random)
    try {
      // The first makes the certificate of all.
      await cluster.#start(0)
      await Promise.all(Array.from({ length: count - 1 }, (_, index) => cluster.#start(index + 1)))
      await cluster.untilReady()
      return cluster
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  }

  get count(): number {
    return this.#nodes.length
  }

  /** Where one more client is to be let in. */
  async entrance(): Promise<Endpoints> {
    const [tls, cleartext] = await Promise.all([this.#tls.open(), this.#cleartext.open()])
    return { https: `https://localhost:${tls}`, http: `http://localhost:${cleartext}` }
  }

  /** What all nodes have logged. */
  get log(): string {
    return this.#log + this.#nodes.map(({ process }) => process.log).join('')
  }

  /** Lets go of what has been logged so far. */
  forgetLog(): void {
    this.#log = ''
    for (const { process } of this.#nodes) process.forgetLog()
  }

  /** Those that run. */
  get processes(): readonly FusewireProcess[] {
    return this.#nodes.map(({ process }) => process).filter(({ isRunning }) => isRunning)
  }

  /** What one of them answers at `/readyz`, past the balancer: its status. */
  async readiness(index: number): Promise<number> {
    const response = await fetch(`${this.#at(index).process.http}/readyz`, { signal: AbortSignal.timeout(2_000) })
    await response.arrayBuffer()
    return response.status
  }

  async untilReady(): Promise<void> {
    await Promise.all(
      this.#nodes.map((_, index) =>
        eventually(async () => (await this.readiness(index)) === 200, { timeoutMs: READY_TIMEOUT_MS, intervalMs: 50 }),
      ),
    )
  }

  /** kill -9, and another in its place. */
  async replace(index: number): Promise<void> {
    const { process, lines } = this.#at(index)
    this.#leave(index)
    process.signal('SIGKILL')
    await process.stop()
    this.#log += process.log
    await Promise.all(lines.map((line) => line.close()))
    await delay(this.#random.integer(0, 1_000))
    await this.#start(index)
  }

  /** SIGSTOP, and SIGCONT after this time. The balancer sees that it does not answer. */
  async suspend(index: number, ms: number): Promise<void> {
    const { process } = this.#at(index)
    this.#leave(index)
    process.signal('SIGSTOP')
    await delay(ms)
    process.signal('SIGCONT')
    this.#come(index)
  }

  /** Everything between it and the broker is lost for this time: connections are reset, or look alive. Clients still reach it. */
  async cutOff(index: number, ms: number, how: 'reset' | 'silent'): Promise<void> {
    const { lines } = this.#at(index)
    for (const line of lines) {
      if (how === 'silent') line.inject({ kind: 'half-open', direction: 'both' })
      else line.inject({ kind: 'reset' })
      line.inject({ kind: 'refuse' })
    }
    await delay(ms)
    for (const line of lines) line.mend()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#nodes.map(async ({ process, lines }) => {
        if (process.isRunning) process.signal('SIGCONT')
        await process.stop()
        await Promise.all(lines.map((line) => line.close()))
      }),
    )
    await this.#tls[Symbol.asyncDispose]()
    await this.#cleartext[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #at(index: number): Node {
    const node = this.#nodes[index]
    if (!node) throw new RangeError(`no node ${index}`)
    return node
  }

  async #start(index: number): Promise<void> {
    const { isProxied, ports } = this.#broker
    const lines = isProxied ? await Promise.all(ports.map((port) => FaultProxy.start(port, this.#random.fork()))) : []
    const reached = isProxied ? lines.map(({ port }) => port) : ports
    // As a service manager does: on a busy machine the broker's greeting may be too late for a node, and it ends.
    const process = await eventually(
      () =>
        FusewireProcess.start(
          { certificateDir: this.#folder, ...this.#options, ...this.#broker.options(reached) },
          { nodeFlags: this.#nodeFlags },
        ),
      { timeoutMs: READY_TIMEOUT_MS, intervalMs: 500 },
    )
    this.#nodes[index] = { process, lines }
    this.#come(index)
  }

  #come(index: number): void {
    const { process } = this.#at(index)
    this.#tls.nodes[index] = process.httpsPort
    this.#cleartext.nodes[index] = process.httpPort
  }

  #leave(index: number): void {
    this.#tls.nodes[index] = this.#cleartext.nodes[index] = undefined
  }
}
