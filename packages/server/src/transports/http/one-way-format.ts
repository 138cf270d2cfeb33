import type { Frame, FrameFormat } from '@fusewire/engine'
import {
  type Disconnect,
  jsonCodec,
  type PublicationMessage,
  type ServerMessage,
  type Subscribed,
  type SubscriptionRequest,
} from '@fusewire/protocol'
import { EventIdWriter } from './event-id.ts'

/**
 * The events of one-way SSE: publications are default events, everything else is an event named like the message's type. A stream
 * has a format of its own because every event's `id:` holds the positions of that stream; what all of them share, the publication
 * as data, is encoded once.
 */
export class OneWayFormats {
  #message: PublicationMessage | undefined
  #data: Uint8Array = new Uint8Array(0)

  /** The format of one stream of these subscriptions. `observe` sees every message before it is encoded. */
  create(subscriptions: readonly SubscriptionRequest[], observe: (message: ServerMessage) => void): FrameFormat {
    const ids = new EventIdWriter(subscriptions.map(({ channel }) => channel))
    // A break may come when only some of them have been made: the ids go on with what the others have asked to resume from.
    for (const { channel, since } of subscriptions) if (since) ids.set(channel, since)
    return {
      name: 'sse-one-way',
      encode: (message) => {
        observe(message)
        switch (message.type) {
          case 'publication':
            return this.#publication(message, ids)
          case 'subscribed':
            return encodeSubscribed(message, ids)
          case 'disconnect':
            return encodeDisconnect(message, ids)
          default:
            return Buffer.from(namedEvent(message))
        }
      },
    }
  }

  #publication(message: PublicationMessage, ids: EventIdWriter): Frame {
    if (message !== this.#message) {
      this.#data = Buffer.from(defaultEvent(message))
      this.#message = message
    }
    ids.advance(message.channel, message.offset)
    const id = `id: ${ids.id()}\n`
    // The id is ASCII: one byte a character.
    const frame = Buffer.allocUnsafe(id.length + this.#data.byteLength)
    frame.write(id, 'latin1')
    frame.set(this.#data, id.length)
    return frame
  }
}

const defaultEvent = (message: ServerMessage): string => `data: ${jsonCodec.encode(message)}\n\n`
const namedEvent = (message: ServerMessage): string => `event: ${message.type}\n${defaultEvent(message)}`

/**
 * What was missed follows `subscribed` as events of its own, so that `onmessage` sees every publication. Their ids count up to the
 * position, so that a break between any two of them is resumed there.
 */
const encodeSubscribed = (message: Subscribed, ids: EventIdWriter): Frame => {
  const { publications = [], ...subscribed } = message
  const { channel, position } = message
  const first = publications[0]
  ids.set(channel, first ? { epoch: position.epoch, offset: first.offset - 1 } : position)
  let events = `id: ${ids.id()}\n${namedEvent(subscribed)}`
  publications.forEach((publication, index) => {
    const isLast = index === publications.length - 1
    ids.advance(channel, isLast ? position.offset : publication.offset)
    events += `id: ${ids.id()}\n${defaultEvent({ type: 'publication', channel, ...publication })}`
  })
  return Buffer.from(events)
}

/** EventSource always comes back to a stream that ends: it is told when, or brings back an id that says that it should not have. */
const encodeDisconnect = (message: Disconnect, ids: EventIdWriter): Frame => {
  const retry = message.retryAfterMs === undefined ? '' : `retry: ${message.retryAfterMs}\n`
  const stop = message.reconnect ? '' : `id: ${ids.id(true)}\n`
  return Buffer.from(retry + stop + namedEvent(message))
}
