import type {
  HistoryResult as AnyHistoryResult,
  Member as AnyMember,
  Publication as AnyPublication,
  Position,
  PresenceResult,
  PublishResult,
} from '@fusewire/protocol'
import type { ClientError } from './client-error.ts'
import { PublicationBuffer } from './publication-buffer.ts'
import type {
  HolderOptions,
  SubscribedEvent,
  SubscriptionEvents,
  SubscriptionOptions,
  UnsubscribedEvent,
} from './session/subscription.ts'
import type { Subscriptions } from './session/subscriptions.ts'

/** A session in a channel, with the `info` of its token. */
export type Member<Info = unknown> = Omit<AnyMember, 'info'> & { readonly info?: Info }

/** What was published, where in the channel's stream, when and by whom. */
export type Publication<Message = unknown, Info = unknown> = Omit<AnyPublication, 'data' | 'sender'> & {
  readonly data: Message
  readonly sender?: Member<Info>
}

/** A part of a channel's past, and where the channel stands now. */
export type HistoryResult<Message = unknown, Info = unknown> = Omit<AnyHistoryResult, 'publications'> & {
  readonly publications: readonly Publication<Message, Info>[]
}

export interface ChannelEvents<Message = unknown, Info = unknown> {
  publication: Publication<Message, Info>
  /** At first, and after every cut; see {@link SubscribedEvent.recovered}. */
  subscribed: SubscribedEvent
  join: Member<Info>
  leave: Member<Info>
  /** The subscription has ended: by this client's wish, or with a `code` by the server's. */
  unsubscribed: UnsubscribedEvent
  /** Subscribing has failed and is tried again. */
  error: ClientError
}

export interface ChannelOptions extends SubscriptionOptions {
  /** Publications that wait for a `for await` loop, at most. Default 1000. */
  readonly maxBufferedPublications?: number
}

export interface PublishOptions {
  /** Labels that subscriptions can ask for. */
  readonly tags?: Record<string, string>
  /** Makes a repetition harmless; one is made for every publish that brings none. */
  readonly key?: string
  /** Publish only if this is the channel's newest position; otherwise `conflict`. */
  readonly ifPosition?: Position
  /** What is published is a JSON merge patch (RFC 7396) of a state channel's document. */
  readonly patch?: boolean
}

export interface HistoryOptions {
  /** Only what came after. */
  readonly since?: Position
  /** Default 100. */
  readonly limit?: number
  /** Newest first. */
  readonly reverse?: boolean
}

/** What a channel asks of its client. */
export interface ChannelHost {
  readonly subscriptions: Subscriptions
  /** Connects if nobody has asked for it yet. @throws {@link ClientError} after `close`. */
  wake(): void
  publish(channel: string, data: unknown, options: PublishOptions): Promise<PublishResult>
  history(channel: string, options: HistoryOptions): Promise<AnyHistoryResult>
  presence(channel: string): Promise<PresenceResult>
}

/**
 * A named stream of publications. Channels of one client with the same name share one subscription, which ends when the last of
 * them has unsubscribed.
 */
export class Channel<Message = unknown, Info = unknown> implements AsyncIterable<Publication<Message, Info>> {
  readonly name: string
  readonly #options: ChannelOptions & HolderOptions
  readonly #host: ChannelHost

  /** @internal Made by `client.channel(name)`. */
  constructor(name: string, options: ChannelOptions & HolderOptions, host: ChannelHost) {
    this.name = name
    this.#options = options
    this.#host = host
  }

  /** The last publication that was delivered; undefined before the first `subscribed`. */
  get position(): Position | undefined {
    return this.#host.subscriptions.get(this.name)?.position
  }

  /** Listens, in order and without duplicates. Returns what takes the listener off. */
  on<Type extends keyof ChannelEvents>(type: Type, listener: (event: ChannelEvents<Message, Info>[Type]) => void): () => void {
    return this.#host.subscriptions.listen(this.name, type, listener as (event: SubscriptionEvents[Type]) => void)
  }

  /**
   * Joins the channel, and joins it again after every cut, from where it was. Resolves when it is live.
   * @throws {@link ClientError} when the server refuses.
   */
  async subscribe(): Promise<SubscribedEvent> {
    this.#host.wake()
    return this.#host.subscriptions.join(this.name, this, this.#options)
  }

  /** Leaves the channel, unless another holder of the same name is in it. */
  unsubscribe(): Promise<void> {
    return this.#host.subscriptions.leave(this.name, this)
  }

  /** Publishes; resolves when the server has it, with its position. Repeated after a cut, without being doubled. */
  publish(data: Message, options: PublishOptions = {}): Promise<PublishResult> {
    return this.#host.publish(this.name, data, options)
  }

  /** Reads the channel's past. */
  history(options: HistoryOptions = {}): Promise<HistoryResult<Message, Info>> {
    return this.#host.history(this.name, options) as Promise<HistoryResult<Message, Info>>
  }

  /** Who is subscribed. */
  async presence(): Promise<readonly Member<Info>[]> {
    return (await this.#host.presence(this.name)).members as readonly Member<Info>[]
  }

  /**
   * Subscribes for as long as the loop runs. Ends when the client is closed.
   * @throws {@link ClientError} when the subscription is refused or ended by the server, and with `buffer_overrun` when the loop is
   * too slow for the channel.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Publication<Message, Info>, void, undefined> {
    const { subscriptions } = this.#host
    const buffer = new PublicationBuffer<Publication<Message, Info>>(this.#options.maxBufferedPublications ?? 1000)
    const stop = this.on('publication', (publication) => buffer.push(publication))
    try {
      this.#host.wake()
      await subscriptions.join(this.name, buffer, this.#options, (error) => buffer.end(error))
      for (let next = await buffer.take(); next; next = await buffer.take()) yield next
    } finally {
      stop()
      await subscriptions.leave(this.name, buffer)
    }
  }
}
