import { createHash } from 'node:crypto'
import type { Position } from '@fusewire/protocol'

/**
 * What the `id:` of a one-way event holds: the position of every channel of the stream, so that the browser's `Last-Event-ID`
 * resumes all of them. Characters that need no escape in a URL:
 *
 *     1~.<epoch>~<channel><offset>~<channel><offset>~.<epoch>~<channel><offset>
 *
 * `1` is the version, with `1~stop` for a stream that is not to come back. `.` begins the channels of one epoch (`..` when the epoch
 * is written in base64url). A channel is the first six characters of a base64url hash of its name, which also shows whether the id
 * is of another stream; its offset is in base 36.
 */
const VERSION = '1'
const STOP = 'stop'
const KEY_LENGTH = 6
const MAX_EPOCH_LENGTH = 64
const PLAIN_EPOCH = /^[\w-][\w.-]*$/
const OFFSET = /^[0-9a-z]{1,11}$/

const keyOf = (channel: string): string => createHash('sha256').update(channel).digest('base64url').slice(0, KEY_LENGTH)

const epochHead = (epoch: string): string =>
  PLAIN_EPOCH.test(epoch) ? `~.${epoch}` : `~..${Buffer.from(epoch).toString('base64url')}`

const readEpochHead = (token: string): string =>
  token.startsWith('..') ? Buffer.from(token.slice(2), 'base64url').toString() : token.slice(1)

interface Place {
  readonly key: string
  epochHead: string
  epoch: string
  offset: number
}

/** The positions that a one-way stream has reached, in the channels that its URL names. */
export class EventIdWriter {
  readonly #places = new Map<string, Place>()

  constructor(channels: Iterable<string>) {
    for (const channel of channels) this.#places.set(channel, { key: keyOf(channel), epochHead: '', epoch: '', offset: 0 })
  }

  /** Does nothing for a channel that the URL does not name. */
  set(channel: string, { epoch, offset }: Position): void {
    const place = this.#places.get(channel)
    if (!place) return
    if (place.epoch !== epoch) {
      place.epoch = epoch
      place.epochHead = epochHead(epoch)
    }
    place.offset = offset
  }

  /** The next publication of a channel whose epoch is known. */
  advance(channel: string, offset: number): void {
    const place = this.#places.get(channel)
    if (place) place.offset = offset
  }

  /** The id now; with `stop`, one that tells the server not to take this stream up again. */
  id(stop = false): string {
    let id = stop ? `${VERSION}~${STOP}` : VERSION
    let head = ''
    for (const place of this.#places.values()) {
      if (place.epoch === '') continue
      if (place.epochHead !== head) {
        head = place.epochHead
        id += head
      }
      id += `~${place.key}${place.offset.toString(36)}`
    }
    return id
  }
}

export interface EventId {
  readonly stop: boolean
  readonly positions: ReadonlyMap<string, Position>
}

/** Reads an id for a stream of these channels. Undefined when it is malformed, or is of a stream that has none of them. */
export const readEventId = (id: string, channels: Iterable<string>): EventId | undefined => {
  const [version, ...tokens] = id.split('~')
  if (version !== VERSION) return undefined
  const stop = tokens[0] === STOP
  if (stop) tokens.shift()
  const channelOf = new Map([...channels].map((channel) => [keyOf(channel), channel]))
  const positions = new Map<string, Position>()
  let epoch = ''
  for (const token of tokens) {
    if (token.startsWith('.')) {
      epoch = readEpochHead(token)
      if (epoch === '' || epoch.length > MAX_EPOCH_LENGTH) return undefined
      continue
    }
    const digits = token.slice(KEY_LENGTH)
    const offset = Number.parseInt(digits, 36)
    if (epoch === '' || !OFFSET.test(digits) || !Number.isSafeInteger(offset)) return undefined
    const channel = channelOf.get(token.slice(0, KEY_LENGTH))
    if (channel !== undefined) positions.set(channel, { epoch, offset })
  }
  return tokens.length > 0 && positions.size === 0 ? undefined : { stop, positions }
}
