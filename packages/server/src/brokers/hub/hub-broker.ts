import type {
  Announcement,
  Broker,
  BrokerListener,
  ChannelState,
  HistoryPage,
  HistoryQuery,
  PublicationDraft,
  Published,
  PublishOptions,
} from '@fusewire/engine'
import { LIMITS } from '@fusewire/protocol'
import { decodeMsgpack, encodeMsgpack } from '@fusewire/protocol/msgpack'
import type { HubCalls } from './hub-calls.ts'

/** A worker's way to the broker that all workers of a server share. */
export class HubBroker implements Broker {
  readonly #calls: HubCalls

  constructor(calls: HubCalls) {
    this.#calls = calls
  }

  start(listener: BrokerListener): void {
    this.#calls.on('publication', (channel, epoch, offset, time, encoded) => {
      const draft = decodeMsgpack(encoded, LIMITS.depth)[0] as PublicationDraft
      listener.publication(channel, { offset, ...draft, time }, epoch)
    })
    this.#calls.on('interrupted', (channel) => listener.interrupted(channel))
    this.#calls.on('announcement', (message) => listener.announcement(message))
  }

  async publish(channel: string, draft: PublicationDraft, options: PublishOptions): Promise<Published> {
    return this.#calls.ask('broker.publish', channel, options, encodeMsgpack(draft))
  }

  subscribe(channel: string): Promise<void> {
    return this.#calls.ask('broker.subscribe', channel)
  }

  unsubscribe(channel: string): Promise<void> {
    return this.#calls.ask('broker.unsubscribe', channel)
  }

  announce(message: Announcement): Promise<void> {
    return this.#calls.ask('broker.announce', message)
  }

  history(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    return this.#calls.ask('broker.history', channel, query)
  }

  state(channel: string): Promise<ChannelState> {
    return this.#calls.ask('broker.state', channel)
  }

  clearHistory(channel: string): Promise<void> {
    return this.#calls.ask('broker.clearHistory', channel)
  }

  removeDocument(channel: string): Promise<boolean> {
    return this.#calls.ask('broker.removeDocument', channel)
  }

  /** The line to the hub is closed by whoever has opened it, for all that goes over it. */
  close(): void {}
}
