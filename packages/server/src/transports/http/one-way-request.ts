import type { IncomingHttpHeaders } from 'node:http'
import { acceptClientMessage, type Connect, type Position } from '@fusewire/protocol'
import { readEventId } from './event-id.ts'

export type OneWayRequest =
  /** The browser comes back to a stream whose last event told it not to. */
  { readonly kind: 'stop' } | { readonly kind: 'connect'; readonly channels: readonly string[]; readonly connect: Connect }

/**
 * Stands for a position that could not be read: no channel ever has this epoch, so that the subscription is answered with
 * `recovered: false` and the client learns that it may have missed something.
 */
const LOST: Position = { epoch: 'lost', offset: 0 }

/**
 * What the URL and headers of a one-way stream ask for:
 * `?channel=…` (repeated), `token` or `Authorization: Bearer`, `tag.<name>=<value>`, `presence=true`, `lastEventId` or `Last-Event-ID`.
 * @throws {@link MessageError} when it would not be accepted as a `connect` message either.
 */
export const readOneWayRequest = (query: URLSearchParams, headers: IncomingHttpHeaders, maxDepth: number): OneWayRequest => {
  const channels = [...new Set(query.getAll('channel'))]
  // A browser that comes back repeats the URL that the page once made; its header is newer.
  const fromHeader = header(headers, 'last-event-id')
  const lastEventId = fromHeader || query.get('lastEventId')
  const resumed = lastEventId ? readEventId(lastEventId, channels) : undefined
  // A page that passes the id on by itself has decided to begin anew.
  if (fromHeader && resumed?.stop) return { kind: 'stop' }

  const token = bearer(headers) ?? query.get('token')
  const tags = [...query].filter(([name]) => name.startsWith('tag.')).map(([name, value]) => [name.slice(4), value])
  const subscriptions = channels.map((channel) => {
    const since = resumed ? resumed.positions.get(channel) : lastEventId ? LOST : undefined
    return {
      channel,
      ...(since && { since }),
      ...(tags.length > 0 && { tags: Object.fromEntries(tags) }),
      ...(query.get('presence') === 'true' && { presence: true }),
    }
  })
  const connect = acceptClientMessage({ type: 'connect', subscriptions, ...(token && { token }) }, maxDepth)
  return { kind: 'connect', channels, connect: connect as Connect }
}

const header = (headers: IncomingHttpHeaders, name: string): string | undefined => {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

const bearer = (headers: IncomingHttpHeaders): string | undefined => /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
