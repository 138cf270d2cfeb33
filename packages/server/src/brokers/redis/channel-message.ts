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
  | { readonly kind: 'announcement'; readonly text: string }

const LF = 0x0a
const [PUBLICATION, EPOCH, ANNOUNCEMENT] = ['P', 'E', 'A'].map((letter) => letter.charCodeAt(0))

export const announcementText = (json: string): string => `A${json}`

/** Undefined for what is of a version that this one does not know. */
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
      return { kind: 'announcement', text: payload.toString('utf8', 1) }
    default:
      return undefined
  }
}
