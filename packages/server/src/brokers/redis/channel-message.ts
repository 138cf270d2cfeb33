import type { Announcement } from '@fusewire/engine'
import { decodeValue, encodeValue } from './draft-code.ts'

/** What comes over a sharded channel. The body is decoded by whoever wants it: a node hears its own publications, too. */
export type ChannelMessage =
  | {
      readonly kind: 'publication'
      readonly epoch: string
      readonly offset: number
      /** When it was published, and when the document ends (0: there is none), by the clock of Redis. */
      readonly time: number
      readonly documentEnd: number
      readonly body: () => string
    }
  /** The channel has begun another epoch. */
  | { readonly kind: 'epoch'; readonly epoch: string; readonly offset: number }
  | { readonly kind: 'announcement'; readonly announcement: Announcement }

const LF = 0x0a
const [PUBLICATION, EPOCH, ANNOUNCEMENT] = ['P', 'E', 'A'].map((letter) => letter.charCodeAt(0))

export const announcementText = (announcement: Announcement): string => `A${encodeValue(announcement)}`

/** Undefined for what none of our nodes has written, or one of a version that this one does not know. */
export const readChannelMessage = (payload: Buffer): ChannelMessage | undefined => {
  switch (payload[0]) {
    case PUBLICATION: {
      const end = payload.indexOf(LF)
      const [epoch = '', offset, time, documentEnd] = payload.toString('latin1', 1, end).split(' ')
      return {
        kind: 'publication',
        epoch,
        offset: Number(offset),
        time: Number(time),
        documentEnd: Number(documentEnd),
        body: () => payload.toString('utf8', end + 1),
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
