import type { Environment } from '@fusewire/engine'
import type { FusewireError } from '@fusewire/protocol'
import type { RedisArgument } from '@redis/client'
import type { BrokerHealth } from '../broker-health.ts'
import { hashSlot } from './hash-slot.ts'
import { RedisCalls } from './redis-calls.ts'
import { unavailable } from './redis-error.ts'
import type { RedisReply } from './redis-link.ts'
import { RedisMasters, type RedisMastersOptions } from './redis-masters.ts'
import { type ChannelListener, RedisSubscriptions } from './redis-subscriptions.ts'

export type RedisConnectionOptions = RedisMastersOptions

export interface ConnectionListener {
  /** Nothing, or not everything, can be asked now. */
  away?(problem: FusewireError): void
  /** Everything can be asked again. */
  back?(): void
}

export interface CallOptions {
  /** Strings in the answer are given as buffers. */
  readonly buffers?: boolean
}

/**
 * Redis, whatever it consists of: one server, a master that sentinels choose, or the masters of a cluster. It is connected again by
 * itself, at moments that are spread; nothing waits for that in a queue, and nothing is ever sent twice that may have been carried out.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions
  readonly #masters: RedisMasters
  readonly #calls: RedisCalls
  readonly #subscriptions: RedisSubscriptions
  readonly #listeners = new Set<ConnectionListener>()
  #users = 0
  #opening: Promise<void> | undefined

  constructor(options: RedisConnectionOptions, environment: Environment, health: BrokerHealth) {
    this.#options = options
    this.#masters = new RedisMasters(options, () => environment.random(), {
      rerouted: () => this.#subscriptions.rerouted(),
      down: (link, problem) => this.#subscriptions.down(link, problem),
      message: (channel, payload) => this.#subscriptions.message(channel, payload),
      moved: (channel) => this.#subscriptions.moved(channel),
      reconnected: () => {
        health.reconnects++
      },
      away: (problem) => {
        health.away(problem)
        for (const listener of [...this.#listeners]) listener.away?.(problem)
      },
      back: () => {
        health.back()
        for (const listener of [...this.#listeners]) listener.back?.()
      },
    })
    this.#calls = new RedisCalls(this.#masters, health, options.timeoutMs)
    this.#subscriptions = new RedisSubscriptions({
      linkOf: (slot) => this.#masters.linkOf(slot),
      slotOf: (channel) => this.#slotOf(channel),
      problem: () => this.#masters.problem,
      misrouted: () => this.#masters.look(),
    })
  }

  /**
   * Connects. Whoever uses it calls this, waits for the same, and calls {@link RedisConnection.release} in the end.
   * @throws FusewireError `broker_unavailable` when that takes longer than an answer may; it is closed then.
   */
  open(): Promise<void> {
    this.#users++
    this.#opening ??= this.#open()
    return this.#opening
  }

  /** One of its users is done; with the last it is closed. */
  release(): void {
    if (--this.#users <= 0) this.close()
  }

  /** Why not everything can be asked; undefined while it can. */
  problem(): FusewireError | undefined {
    return this.#masters.problem
  }

  /** Tells of every change. The disposer ends that. */
  watch(listener: ConnectionListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Calls a function of the library on the master that has the keys, which are of one slot. Tried again only where it is certain that
   * nothing was done; calls for one slot keep their order.
   * @throws FusewireError `broker_unavailable`: at once while it is known to be away, else within the time for an answer; whether it
   * was carried out is then unknown.
   */
  call(name: string, keys: readonly string[], args: readonly RedisArgument[], options?: CallOptions): Promise<RedisReply> {
    const command = ['FCALL', this.#options.library.functionName(name), String(keys.length), ...keys, ...args]
    return this.#calls.call(name, { slot: this.#slotOf(keys[0] ?? ''), command, buffers: options?.buffers ?? false })
  }

  /**
   * Settles once everything that is published in the sharded channel from now on is heard; a channel that has been subscribed stays
   * so over losses of the connection, of which its listener is told, until {@link RedisConnection.unsubscribe}.
   * @throws FusewireError `broker_unavailable`; it is not subscribed then, unless it was before.
   */
  subscribe(channel: string, listener: ChannelListener): Promise<void> {
    return this.#subscriptions.subscribe(channel, listener)
  }

  unsubscribe(channel: string): void {
    this.#subscriptions.unsubscribe(channel)
  }

  /**
   * The same for what Redis tells of a key, by the name of the event, where `notify-keyspace-events` says so. In a cluster it is told by
   * the master that has the key, and heard from whichever that is.
   */
  subscribeToKey(key: string, listener: ChannelListener): Promise<void> {
    return this.#subscriptions.subscribe(this.#keyspaceChannel(key), listener, 'keyspace')
  }

  unsubscribeFromKey(key: string): void {
    this.#subscriptions.unsubscribe(this.#keyspaceChannel(key))
  }

  /** Idempotent. What is under way is rejected. */
  close(): void {
    if (this.#masters.isClosed) return
    const problem = unavailable('the connection to Redis has been closed')
    this.#subscriptions.close(problem)
    this.#masters.close(problem)
    this.#listeners.clear()
  }

  #open(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#masters.isClosed) {
        reject(this.#masters.problem)
        return
      }
      const timer = setTimeout(() => {
        const problem = this.#masters.problem
        this.close()
        reject(problem)
      }, this.#options.timeoutMs)
      const stop = this.watch({
        back: () => {
          clearTimeout(timer)
          stop()
          resolve()
        },
      })
      this.#masters.open()
    })
  }

  #keyspaceChannel(key: string): string {
    return `__keyspace@${this.#masters.database}__:${key}`
  }

  #slotOf(key: string): number {
    return this.#options.mode === 'cluster' ? hashSlot(key) : 0
  }
}
