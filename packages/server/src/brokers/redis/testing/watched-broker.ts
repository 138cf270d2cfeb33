import type { HistoryPage, PublicationDraft, Published, PublishOptions } from '@fusewire/engine'
import type { Publication } from '@fusewire/protocol'
import { RedisBroker } from '../redis-broker.ts'
import type { RedisConnection } from '../redis-connection.ts'
import { connectTo, type StartedRedis } from './redis-kinds.ts'

export const KEPT: PublishOptions = { historySize: 1_000, historyTtlMs: 60_000, historyBytes: 10_000_000 }

export interface WatchedOptions {
  readonly node?: string
  readonly timeoutMs?: number
  readonly ca?: string
}

/** A broker with what its node hears. */
export class WatchedBroker implements AsyncDisposable {
  readonly broker: RedisBroker
  readonly connection: RedisConnection
  readonly heard: (Publication & { readonly channel: string; readonly epoch: string })[] = []
  readonly interruptions: string[] = []

  constructor(redis: Pick<StartedRedis, 'mode' | 'urls'>, { node = 'a', timeoutMs = 5_000, ca }: WatchedOptions = {}) {
    this.connection = connectTo(redis, timeoutMs, ca)
    this.broker = new RedisBroker(this.connection, { node, prefix: 'fusewire', idempotencyTtlMs: 60_000, timeoutMs })
  }

  static async start(redis: Pick<StartedRedis, 'mode' | 'urls'>, options?: WatchedOptions): Promise<WatchedBroker> {
    const watched = new WatchedBroker(redis, options)
    await watched.broker.start({
      publication: (channel, publication, epoch) => watched.heard.push({ channel, epoch, ...publication }),
      interrupted: (channel) => watched.interruptions.push(channel),
      announcement: () => undefined,
    })
    return watched
  }

  publish(
    channel: string,
    data: unknown,
    options: Partial<PublishOptions & Pick<PublicationDraft, 'patch'>> = {},
  ): Promise<Published> {
    const { patch, ...rest } = options
    return this.broker.publish(channel, { data, ...(patch && { patch }) }, { ...KEPT, ...rest })
  }

  history(channel: string, since?: Published['position']): Promise<HistoryPage> {
    return this.broker.history(channel, since ? { since } : {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.broker.close()
  }
}
