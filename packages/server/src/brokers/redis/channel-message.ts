import type { Announcement } from '@fusewire/engine'
import { decodeValue, encodeValue } from './draft-code.ts'

/** What comes over a sharded channel. Bodies are decoded by whoever wants them: a node hears its own publications, too. */
export type ChannelMessage =
  /** Those of one call, which follow one another. */
  | {
      readonly kind: 'publications'
      readonly epoch: string
      /** Of the first. */
      readonly offset: number
      /** When it was published, and when the document ends (0: there is none), by the clock of Redis. */
      readonly time: number
      readonly documentEnd: number
      readonly bodies: () => string[]
    }
  /** The channel has begun another epoch. */
  | { readonly kind: 'epoch'; readonly epoch: string; readonly offset: number }
  | { readonly kind: 'announcement'; readonly announcement: Announcement }

/** Ends the first line, and each body but the last: there is none in JSON. */
const LF = '\n'
const [PUBLICATION, EPOCH, ANNOUNCEMENT] = ['P', 'E', 'A'].map((letter) => letter.charCodeAt(0))

export const announcementText = (announcement: Announcement): string => `A${encodeValue(announcement)}`

/** Undefined for what none of our nodes has written, or one of a version that this one does not know. */
export const readChannelMessage = (payload: Buffer): ChannelMessage | undefined => {
  switch (payload[0]) {
    case PUBLICATION: {
      const end = payload.indexOf(LF)
      const [epoch = '', offset, time, documentEnd] = payload.toString('latin1', 1, end).split(' ')
      return {
        kind: 'publications',
        epoch,
        offset: Number(offset),
        time: Number(time),
        documentEnd: Number(documentEnd),
        bodies: () => payload.toString('utf8', end + 1).split(LF),
      }
    }
    case EPOCH: {
      const [epoch = '', offset] = payload.toString('latin1', 1).split(' ')
      return { kind: 'epoch', epoch, offset: Number(offset) }
    }
    case ANNOUNCEMENT:
      return readAnnouncement(payload.toString('utf8', 1))
    default:
      return undefined
  }
}

const readAnnouncement = (text: string): ChannelMessage | undefined => {
  try {
    return { kind: 'announcement', announcement: decodeValue(text) as Announcement }
  } catch {
    return undefined
  }
}
