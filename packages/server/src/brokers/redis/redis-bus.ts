import type { NodeBus, NodeBusListener } from '@fusewire/engine'
import { brokerName } from '../broker-name.ts'
import type { RedisConnection } from './redis-connection.ts'

export interface RedisBusOptions {
  /** First part of every channel. */
  readonly prefix: string
}

/**
 * Messages between nodes over sharded pub/sub: a channel for each node and one for all. They are of one hash slot, because one connection
 * alone keeps the order of what is said to a node and to all.
 */
export class RedisBus implements NodeBus {
  readonly #connection: RedisConnection
  readonly #toAll: string
  #node = ''
  #listener: NodeBusListener | undefined

  constructor(connection: RedisConnection, { prefix }: RedisBusOptions) {
    this.#connection = connection
    this.#toAll = `${prefix}:{nodes}:bus`
  }

  async start(node: string, listener: NodeBusListener): Promise<void> {
    this.#node = node
    this.#listener = listener
    await this.#connection.open()
    await Promise.all([
      this.#subscribe(this.#channelOf(node), (_, payload) => this.#listener?.message(payload)),
      this.#subscribe(this.#toAll, (from, payload) => from !== this.#node && this.#listener?.message(payload)),
    ])
  }

  async send(payload: Uint8Array, to?: string): Promise<void> {
    await this.#connection.call('tell', [to === undefined ? this.#toAll : this.#channelOf(to)], [frame(this.#node, payload)])
  }

  close(): void {
    this.#listener = undefined
    this.#connection.unsubscribe(this.#channelOf(this.#node))
    this.#connection.unsubscribe(this.#toAll)
  }

  #channelOf(node: string): string {
    return `${this.#toAll}:${brokerName(node)}`
  }

  #subscribe(channel: string, hear: (from: string, payload: Uint8Array) => void): Promise<void> {
    return this.#connection.subscribe(channel, {
      message: (message) => {
        const framed = unframe(message)
        if (framed) hear(framed.from, framed.payload)
      },
      // What was said meanwhile is lost, as it may be on this bus.
      lapsed: () => undefined,
    })
  }
}

/** The sender, after its length in two bytes, and then the message. */
const frame = (from: string, payload: Uint8Array): Buffer => {
  const name = Buffer.from(from)
  const head = Buffer.allocUnsafe(2)
  head.writeUInt16BE(name.length)
  return Buffer.concat([head, name, payload])
}

/** Undefined for what none of our nodes has sent. */
const unframe = (message: Buffer): { readonly from: string; readonly payload: Uint8Array } | undefined => {
  const start = message.length < 2 ? Number.POSITIVE_INFINITY : 2 + message.readUInt16BE()
  if (message.length < start) return undefined
  return { from: message.toString('utf8', 2, start), payload: message.subarray(start) }
}
