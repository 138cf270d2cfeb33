import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { MemoryBroker } from '@fusewire/engine'
import { createFusewire, type Fusewire, type FusewireInput } from '@fusewire/server'
import { SharedBroker } from '@fusewire/testkit'
import { DEVELOPMENT } from '../server-variants.ts'
import type { Endpoints } from '../wire/way.ts'
import { Balancer } from './balancer.ts'

interface Node {
  readonly fusewire: Fusewire
  /** Base URL without TLS, past the balancer. */
  readonly url: string
  /** When it told one of its clients to move, on the clock of `performance`. */
  readonly moves: number[]
}

const environment = {
  now: Date.now,
  random: Math.random,
  id: () => crypto.randomUUID(),
  secret: () => crypto.randomUUID(),
}

/** Nodes over one broker, in this process, behind a balancer for each sort of port. */
export class Cluster implements AsyncDisposable {
  readonly #options: FusewireInput
  readonly #broker = new SharedBroker(new MemoryBroker(environment))
  readonly #folder = mkdtempSync(join(tmpdir(), 'fusewire-cluster-'))
  readonly #nodes: Node[] = []
  readonly #tls = new Balancer()
  readonly #cleartext = new Balancer()

  private constructor(options: FusewireInput) {
    this.#options = options
  }

  static async start(nodes: number, options: FusewireInput): Promise<Cluster> {
    const cluster = new Cluster(options)
    for (let index = 0; index < nodes; index++) await cluster.#start(index)
    return cluster
  }

  /** Where one more client is to be let in. */
  async entrance(): Promise<Endpoints> {
    const [tls, cleartext] = await Promise.all([this.#tls.open(), this.#cleartext.open()])
    return { https: `https://localhost:${tls}`, http: `http://localhost:${cleartext}` }
  }

  /** Connections of one node now. */
  async connections(index: number): Promise<number> {
    const response = await fetch(`${this.#nodes[index]?.url}/v1/info`)
    return ((await response.json()) as { connections: number }).connections
  }

  /** Has a node leave, and starts another in its place. Gives the moments at which it told its clients to move. */
  async restart(index: number): Promise<readonly number[]> {
    const node = this.#nodes[index] as Node
    await node.fusewire.drain()
    this.#tls.nodes[index] = this.#cleartext.nodes[index] = undefined
    await this.#start(index)
    return node.moves
  }

  async #start(index: number): Promise<void> {
    const moves: number[] = []
    const fusewire = createFusewire({
      ...DEVELOPMENT,
      port: 0,
      cleartextPort: 0,
      certificateDir: this.#folder,
      broker: this.#broker.node(),
      log: (event, { code }) => {
        if (event === 'client_disconnected' && code === 'server_draining') moves.push(performance.now())
      },
      ...this.#options,
    })
    const { tls, cleartext, certificate } = await fusewire.listen()
    const file = certificate?.development?.certificateFile ?? ''
    setDefaultCACertificates([...getCACertificates('default'), readFileSync(file, 'utf8')])
    this.#tls.nodes[index] = tls?.port
    this.#cleartext.nodes[index] = cleartext?.port
    this.#nodes[index] = { fusewire, url: `http://localhost:${cleartext?.port}`, moves }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map(({ fusewire }) => fusewire.close()))
    await this.#tls[Symbol.asyncDispose]()
    await this.#cleartext[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
