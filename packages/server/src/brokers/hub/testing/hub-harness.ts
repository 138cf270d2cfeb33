import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Environment, MemoryBroker } from '@fusewire/engine'
import type { Backend } from '../../backend.ts'
import { Hub } from '../hub.ts'
import { hubBackend } from '../hub-backend.ts'
import type { HubConnection, HubConnectionOptions } from '../hub-connection.ts'

const IDEMPOTENCY_TTL_MS = 60_000
export const PRESENCE_TTL_MS = 4000

/** A clock that the test turns. */
interface FakeClock extends Environment {
  advance(ms: number): void
}

/** A worker's backend, and the two ends of its socket. */
export interface HubWorker {
  readonly backend: Backend
  readonly socket: Socket
  readonly connection: HubConnection
  /** How often the hub was found to be gone. */
  readonly lost: () => number
}

/** A hub with a memory broker on a fake clock, and workers that reach it over real Unix sockets. */
export class HubHarness implements AsyncDisposable {
  readonly environment: FakeClock
  readonly idempotencyTtlMs = IDEMPOTENCY_TTL_MS
  readonly broker: MemoryBroker
  readonly hub: Hub
  readonly #folder = mkdtempSync(join(tmpdir(), 'fusewire-hub-'))
  readonly #server: Server = createServer()

  constructor(environment: FakeClock, { maxRevocations = 100 }: { maxRevocations?: number } = {}) {
    this.environment = environment
    this.broker = new MemoryBroker(environment, { idempotencyTtlMs: IDEMPOTENCY_TTL_MS })
    this.hub = new Hub(this.broker, this.environment, { maxRevocations, presenceTtlMs: PRESENCE_TTL_MS })
    void this.hub.start()
  }

  /** Lets time pass, as the primary's clock would. */
  pass(ms: number): void {
    this.environment.advance(ms)
    this.broker.sweep()
    this.hub.sweep()
  }

  /** One more worker. */
  async worker(
    node = randomBytes(4).toString('hex'),
    options: HubConnectionOptions & { timeoutMs?: number } = {},
  ): Promise<HubWorker> {
    const path = join(this.#folder, 'hub')
    if (!this.#server.listening) await new Promise<void>((resolve) => this.#server.listen(path, resolve))
    const accepted = new Promise<Socket>((resolve) => this.#server.once('connection', resolve))
    const socket = connect(path)
    const connection = this.hub.accept(await accepted, options)
    let lost = 0
    const backend = hubBackend(socket, {
      node,
      environment: this.environment,
      log: () => {},
      timeoutMs: options.timeoutMs ?? 5000,
      onLost: () => lost++,
    })
    return { backend, socket, connection, lost: () => lost }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hub.close()
    await new Promise((resolve) => this.#server.close(resolve))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
