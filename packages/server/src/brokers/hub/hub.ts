import type { Duplex } from 'node:stream'
import {
  type Awaitable,
  type Broker,
  type BrokerListener,
  type Environment,
  Interests,
  MemoryBus,
  MemoryRevocations,
  MemorySessions,
  type PresenceStore,
  type PublicationDraft,
  type Published,
  type PublishOptions,
  type Revocation,
  SharedPresence,
} from '@fusewire/engine'
import { encodeMsgpack } from '@fusewire/protocol/msgpack'
import { encodeFrame } from './frame-socket.ts'
import { HubConnection, type HubConnectionOptions } from './hub-connection.ts'
import type { RevocationEntry } from './hub-protocol.ts'

export interface HubOptions {
  /** Revocations in force at a time. */
  readonly maxRevocations: number
  /** How long a member stays whom no worker adds or refreshes, in milliseconds. */
  readonly presenceTtlMs: number
}

/**
 * What the workers of one server share when nothing outside of it carries and keeps their publications: one embedded broker, with the
 * sessions, the presence and the revocations, in the process that has started them.
 */
export class Hub {
  readonly broker: Broker
  readonly presence: PresenceStore
  readonly sessions: MemorySessions
  readonly bus = new MemoryBus()
  readonly interests: Interests<HubConnection>
  readonly #sharedPresence: SharedPresence
  readonly #revocations: MemoryRevocations
  readonly #connections = new Set<HubConnection>()
  /** The draft that is being published, as its worker has written it. */
  #written: Uint8Array | undefined

  /** The broker becomes the hub's own: it starts it and closes it. */
  constructor(broker: Broker, environment: Environment, { maxRevocations, presenceTtlMs }: HubOptions) {
    this.broker = broker
    this.sessions = new MemorySessions(environment)
    this.interests = new Interests(broker)
    this.#sharedPresence = new SharedPresence(environment, { ttlMs: presenceTtlMs })
    this.presence = this.#sharedPresence.node()
    this.#revocations = new MemoryRevocations(environment, { maxRevocations })
  }

  /** To be awaited before the first worker. */
  start(): Awaitable<void> {
    return this.broker.start(this.#listener)
  }

  /** Serves a worker, until either side closes the socket. */
  accept(socket: Duplex, options: HubConnectionOptions = {}): HubConnection {
    const connection = new HubConnection(this, socket, options)
    this.#connections.add(connection)
    return connection
  }

  /** Forgets what has expired, the broker's own aside. To be called about once a second. */
  sweep(): void {
    this.#sharedPresence.sweep()
    this.#revocations.sweep()
  }

  /** Idempotent. */
  async close(): Promise<void> {
    for (const connection of this.#connections) connection.close()
    await this.broker.close()
  }

  /** @internal */
  left(connection: HubConnection): void {
    this.#connections.delete(connection)
  }

  /** @internal */
  publish(channel: string, draft: PublicationDraft, options: PublishOptions, written: Uint8Array): Awaitable<Published> {
    this.#written = written
    try {
      return this.broker.publish(channel, draft, options)
    } finally {
      this.#written = undefined
    }
  }

  /** @internal */
  revocationsInForce(): readonly RevocationEntry[] {
    return this.#revocations.entries()
  }

  /** @internal */
  revoke(revocation: Revocation, expiresAt: number): void {
    this.#revocations.revoke(revocation, expiresAt)
    const frame = encodeFrame(['revoked', revocation, expiresAt])
    for (const connection of this.#connections) connection.tellFrame(frame)
  }

  /** Each is written once, for all workers that it goes to. */
  readonly #listener: BrokerListener = {
    publication: (channel, { offset, time, ...draft }, epoch) => {
      const those = this.interests.of(channel)
      if (those.size === 0) return
      // An embedded broker tells of a publication while it is being published: it is handed on as it came.
      const frame = encodeFrame(['publication', channel, epoch, offset, time, this.#written ?? encodeMsgpack(draft)])
      for (const connection of those) connection.tellFrame(frame)
    },
    interrupted: (channel) => {
      for (const connection of this.interests.of(channel)) connection.tell('interrupted', channel)
    },
    announcement: (message) => {
      for (const connection of this.interests.of(message.channel)) connection.tell('announcement', message)
    },
  }
}
