import type {
  Announcement,
  Awaitable,
  Broker,
  ChannelState,
  HistoryPage,
  HistoryQuery,
  PublicationDraft,
  Published,
  PublishOptions,
} from '@fusewire/engine'

/** What a broker hands on as it is to the one behind it. */
export abstract class BrokerInFront {
  /** The one behind it now. */
  protected abstract readonly behind: Broker

  publish(channel: string, draft: PublicationDraft, options: PublishOptions): Awaitable<Published> {
    return this.behind.publish(channel, draft, options)
  }

  announce(message: Announcement): Awaitable<void> {
    return this.behind.announce(message)
  }

  history(channel: string, query: HistoryQuery): Awaitable<HistoryPage> {
    return this.behind.history(channel, query)
  }

  state(channel: string): Awaitable<ChannelState> {
    return this.behind.state(channel)
  }

  clearHistory(channel: string): Awaitable<void> {
    return this.behind.clearHistory(channel)
  }

  removeDocument(channel: string): Awaitable<boolean> {
    return this.behind.removeDocument(channel)
  }
}
