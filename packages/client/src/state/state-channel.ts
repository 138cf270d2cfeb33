import type { MergePatch, Position, PublishResult } from '@fusewire/protocol'
import { Channel, type ChannelEvents, type ChannelHost, type Member } from '../channel.ts'
import { ClientError } from '../client-error.ts'
import { PublicationBuffer } from '../publication-buffer.ts'
import type { HolderOptions, SubscribedEvent, SubscriptionEvents, SubscriptionOptions } from '../session/subscription.ts'
import { type DocumentChange, LiveDocument, type Snapshot } from './live-document.ts'

/** The document has changed: by a publication, or because it had to be loaded anew. */
export type StateChange<Document = unknown, Info = unknown> = Omit<DocumentChange, 'value' | 'previous' | 'patch' | 'sender'> & {
  readonly value: Document | undefined
  readonly previous: Document | undefined
  readonly patch?: MergePatch<Document>
  readonly sender?: Member<Info>
}

export interface StateEvents<Document = unknown, Info = unknown> extends Omit<ChannelEvents<never, Info>, 'publication'> {
  change: StateChange<Document, Info>
}

export interface StateOptions<Document = unknown> extends Omit<SubscriptionOptions, 'tags' | 'since'> {
  /** A document that came another way, with a page or over HTTP: the subscription continues it exactly there. */
  readonly initial?: Snapshot<Document>
}

export interface WriteOptions {
  /** Write over whatever is there, without looking at the version. Default false. */
  readonly force?: boolean
}

export interface UpdateOptions {
  /** How often the document is read, computed and written, until the conflict is given up. Default 10. */
  readonly maxAttempts?: number
}

/**
 * The document of a state channel, live: a value, and its changes. The channel's rule has to say `state`. A value is never changed
 * in place: what a patch leaves alone is the same object as before.
 *
 * Writes are optimistic: each says which version it was made on, and is rejected with `conflict` when the document has moved on. The
 * value is always the server's. A write is in it when its promise resolves; after a conflict, so is what was in its way.
 */
export class StateChannel<Document = unknown, Info = unknown> implements AsyncIterable<Document> {
  readonly name: string
  readonly #initial: Snapshot<Document> | undefined
  readonly #options: HolderOptions
  readonly #host: ChannelHost
  readonly #channel: Channel<unknown, Info>

  /** @internal Made by `client.state(name)`. */
  constructor(name: string, { initial, ...options }: StateOptions<Document>, host: ChannelHost) {
    this.name = name
    this.#initial = initial
    this.#options = {
      ...options,
      ...(initial && { since: initial.position }),
      document: (events, isFirst) => new LiveDocument(events, isFirst ? initial : undefined),
    }
    this.#host = host
    this.#channel = new Channel(name, this.#options, host)
  }

  /** The document; undefined while there is none, or none is known. Outside of a subscription, that of the option `initial`. */
  get value(): Document | undefined {
    return this.#snapshot?.document
  }

  /** The document's version; undefined while it is not known. */
  get position(): Position | undefined {
    return this.#snapshot?.position
  }

  /** Listens, in order and without duplicates. Returns what takes the listener off. */
  on<Type extends keyof StateEvents>(type: Type, listener: (event: StateEvents<Document, Info>[Type]) => void): () => void {
    return this.#host.subscriptions.listen(this.name, type, listener as (event: SubscriptionEvents[Type]) => void)
  }

  /**
   * Joins the channel, and joins it again after every cut, from where it was. Resolves when the document is there.
   * @throws {@link ClientError} when the server refuses.
   */
  subscribe(): Promise<SubscribedEvent> {
    return this.#channel.subscribe()
  }

  /** Leaves the channel, unless another holder of the same name is in it. */
  unsubscribe(): Promise<void> {
    return this.#channel.unsubscribe()
  }

  /** Who is subscribed. */
  presence(): Promise<readonly Member<Info>[]> {
    return this.#channel.presence()
  }

  /**
   * Replaces the document.
   * @throws {@link ClientError} `conflict`, with the newest document and its position, which are this channel's value by then;
   * `not_subscribed` when no version is known to write on.
   */
  set(document: Document, options?: WriteOptions): Promise<PublishResult> {
    return this.#write(document, false, this.position, options)
  }

  /**
   * Changes some of the document's members by a JSON merge patch (RFC 7396): `null` removes one, arrays are replaced as a whole.
   * @throws {@link ClientError} as `set`.
   */
  patch(patch: MergePatch<Document>, options?: WriteOptions): Promise<PublishResult> {
    return this.#write(patch, true, this.position, options)
  }

  /**
   * Computes a new document from the newest one and writes it; after a conflict, again. Subscribes for as long as it takes.
   * @throws {@link ClientError} `conflict` after `maxAttempts`, and what `change` throws.
   */
  async update(
    change: (value: Document | undefined) => Document | Promise<Document>,
    { maxAttempts = 10 }: UpdateOptions = {},
  ): Promise<PublishResult> {
    const channel = new Channel(this.name, this.#options, this.#host)
    try {
      await channel.subscribe()
      for (let attempt = 1; ; attempt++) {
        const { value, position } = this
        try {
          return await this.#write(await change(value), false, position)
        } catch (error) {
          if ((error as ClientError).code !== 'conflict' || attempt >= maxAttempts) throw error
        }
      }
    } finally {
      await channel.unsubscribe()
    }
  }

  /**
   * The value that is there, then each that follows; a loop that is slow goes on with the newest. Subscribes for as long as the loop
   * runs, and ends when the client is closed.
   * @throws {@link ClientError} when the subscription is refused or ended by the server.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Document, void, undefined> {
    const { subscriptions } = this.#host
    // One item waits at most: it says that `newest` has not been read.
    const buffer = new PublicationBuffer<true>(1)
    let newest: Document | undefined
    let isDue = false
    const hear = (value: Document | undefined): void => {
      newest = value
      if (!isDue) buffer.push(true)
      isDue = true
    }
    const stop = this.on('change', ({ value }) => hear(value))
    try {
      this.#host.wake()
      await subscriptions.join(this.name, buffer, this.#options, (error) => buffer.end(error))
      hear(this.value)
      while (await buffer.take()) {
        isDue = false
        if (newest !== undefined) yield newest
      }
    } finally {
      stop()
      await subscriptions.leave(this.name, buffer)
    }
  }

  get #snapshot(): Snapshot<Document> | undefined {
    const known = this.#host.subscriptions.get(this.name)?.document?.snapshot as Snapshot<Document> | undefined
    return known ?? this.#initial
  }

  async #write(
    data: unknown,
    patch: boolean,
    version: Position | undefined,
    { force = false }: WriteOptions = {},
  ): Promise<PublishResult> {
    const { publish, subscriptions } = this.#host
    if (!version && !force) throw new ClientError('not_subscribed', 'no version is known to write on: subscribe first')
    try {
      return await publish(this.name, data, { ...(patch && { patch }), ...(version && !force && { ifPosition: version }) })
    } catch (error) {
      const { position, document } = error as ClientError
      if (position) subscriptions.get(this.name)?.document?.catchUp({ position, document })
      throw error
    }
  }
}
