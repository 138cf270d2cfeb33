import type { ClientOptions, FusewireClient, TransportName } from '@fusewire/client'
import type { Random } from '@fusewire/testkit'
import { codecOf, sdkClient } from '../sdk-client.ts'
import { PATIENCE_MS } from './patience.ts'
import type { Stream } from './stream.ts'
import { countComing, countSession, noComings, type Subscriber } from './subscriber.ts'
import type { Place, Told } from './told.ts'

export const SDK_TRANSPORTS = ['websocket', 'stream', 'sse', 'poll', 'auto'] as const

export interface SdkSubscriberOptions {
  readonly transport: TransportName | 'auto'
  readonly encoding: 'json' | 'msgpack'
  /** Instead of Node's own. */
  readonly platform?: Pick<ClientOptions, 'fetch' | 'WebSocket'>
}

/** The SDK, as a program in Node uses it. */
export class SdkSubscriber implements Subscriber {
  readonly told = new Map<Stream, Told[]>()
  readonly comings = noComings()
  readonly sessions: string[] = []
  readonly problems: string[] = []
  readonly #client: FusewireClient
  /** Of the `subscribed` that is being told. */
  #document: unknown

  constructor(endpoint: string, streams: readonly Stream[], { transport, encoding, platform }: SdkSubscriberOptions) {
    this.#client = sdkClient(endpoint, { ...codecOf(encoding), ...platform, connectTimeoutMs: PATIENCE_MS })
    this.#client.on('message', (message) => {
      if (message.type === 'connected') {
        countComing(this.comings, message.resumed)
        countSession(this.sessions, message.session)
      }
      if (message.type === 'subscribed') this.#document = message.document
    })
    this.#client.on('error', (error) => this.problems.push(`${error.code}: ${error.message}`))
    if (transport !== 'auto') this.#client.useTransport(transport)
    for (const stream of streams) this.#subscribe(stream)
  }

  #subscribe(stream: Stream): void {
    const told: Told[] = []
    this.told.set(stream, told)
    const channel = this.#client.channel(stream.name)
    channel.on('subscribed', (event) => told.push({ kind: 'subscribed', ...event, document: this.#document }))
    channel.on('publication', ({ offset, data, patch }) => told.push({ kind: 'publication', offset, data, patch }))
    channel.on(
      'unsubscribed',
      ({ code }) => code !== undefined && this.problems.push(`unsubscribed from ${stream.name}: ${code}`),
    )
    // It is rejected by `close` when the line has never come up.
    channel.subscribe().catch(() => undefined)
  }

  async publish(stream: Stream, data: unknown): Promise<Place> {
    return (await this.#client.channel(stream.name).publish(data)).position
  }

  stir(random: Random): void {
    if (random.next() < 0.5) this.#client.interrupt()
    else this.#client.useTransport(random.pick(SDK_TRANSPORTS))
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}
