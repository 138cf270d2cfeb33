import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Random } from '../random.ts'
import { Conditions } from './conditions.ts'
import { FAULT_KINDS, type Fault, type FaultKind, isWeather, type Weather } from './fault.ts'
import type { ScheduledFault } from './fault-schedule.ts'
import { FaultyConnection } from './faulty-connection.ts'

/** A connection that was accepted and waits for a later one to get through first. */
interface Held {
  readonly client: Socket
  readonly timer: ReturnType<typeof setTimeout>
}

/**
 * A TCP line to a port of this machine: the network between clients and a server, which fails when it is told to. It does not look at
 * what goes over it, and within a connection the order of bytes is kept always.
 *
 * @example await using proxy = await FaultProxy.start(server.httpsPort)
 *          proxy.inject({ kind: 'stall', direction: 'down', forMs: 300 })
 */
export class FaultProxy implements AsyncDisposable {
  /** Connect here instead of to the server. */
  readonly port: number
  /** How often each fault has had an effect: a chunk delayed, a connection refused, a bit changed. */
  readonly happened: Record<FaultKind, number> = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as never
  /** Connections made through it since it was started. */
  accepted = 0
  readonly #server: Server
  readonly #random: Random
  readonly #conditions = new Conditions()
  readonly #connections = new Set<FaultyConnection>()
  readonly #timers = new Map<Weather, ReturnType<typeof setTimeout>>()
  #target: number
  #held: Held | undefined

  private constructor(server: Server, target: number, random: Random) {
    this.#server = server
    this.#target = target
    this.#random = random
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (client) => this.#accept(client))
  }

  /** Opens a line to this port. `random` decides what a fault leaves open: how late jitter is, which bit is corrupted. */
  static async start(target: number, random = new Random(0)): Promise<FaultProxy> {
    // Paused: what a client says before its connection goes on waits in its socket.
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new FaultProxy(server, target, random)
  }

  /** Connections that are there now. */
  get connections(): number {
    return this.#connections.size
  }

  inject(fault: Fault): void {
    if (!isWeather(fault)) {
      for (const connection of [...this.#connections]) connection.strike(fault)
      return
    }
    this.#conditions.set(fault)
    if (fault.forMs === undefined) return
    this.#timers.set(
      fault,
      setTimeout(() => this.#end(fault), fault.forMs),
    )
  }

  /** Resets every connection, and every one that is tried from now on, until it is mended. */
  sever(): void {
    this.inject({ kind: 'refuse' })
    this.inject({ kind: 'reset' })
  }

  /** Ends everything that lasts; new connections go to another port when one is given. What is half-open stays so. */
  mend(target = this.#target): void {
    this.#target = target
    this.#clear()
    this.#release()
    for (const connection of this.#connections) connection.pump()
  }

  /** Injects each fault at its time; resolves after the last, or when it is stopped. */
  async run(schedule: readonly ScheduledFault[], signal?: AbortSignal): Promise<void> {
    const beganAt = performance.now()
    for (const { atMs, fault } of schedule) {
      const leftMs = atMs - (performance.now() - beganAt)
      if (leftMs > 0) await delay(leftMs, undefined, { signal }).catch(() => undefined)
      if (signal?.aborted) return
      this.inject(fault)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#clear()
    this.#release()
    if (!this.#server.listening) return
    this.#server.close()
    for (const connection of this.#connections) connection.destroy()
    await once(this.#server, 'close')
  }

  close(): Promise<void> {
    return this[Symbol.asyncDispose]()
  }

  #end(weather: Weather): void {
    this.#timers.delete(weather)
    this.#conditions.end(weather)
    for (const connection of this.#connections) connection.pump()
  }

  #clear(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
    this.#conditions.clear()
  }

  #accept(client: Socket): void {
    client.on('error', () => {})
    if (this.#conditions.get('refuse')) {
      this.happened.refuse++
      client.resetAndDestroy()
      return
    }
    const reorder = this.#conditions.get('reorder')
    if (reorder && !this.#held) this.#held = { client, timer: setTimeout(() => this.#release(), reorder.holdMs) }
    else this.#join(client)
  }

  /** Lets the connection go on that waited for a later one. */
  #release(): void {
    const held = this.#held
    if (!held) return
    this.#held = undefined
    clearTimeout(held.timer)
    if (this.#server.listening) this.#join(held.client)
    else held.client.resetAndDestroy()
  }

  #join(client: Socket): void {
    this.accepted++
    const server = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    server.once('connect', () => {
      if (!this.#held) return
      this.happened.reorder++
      this.#release()
    })
    const context = {
      conditions: this.#conditions,
      random: this.#random,
      happened: (kind: FaultKind) => {
        this.happened[kind]++
      },
    }
    const connection = new FaultyConnection(client, server, context, () => this.#connections.delete(connection))
    this.#connections.add(connection)
    client.resume()
  }
}
