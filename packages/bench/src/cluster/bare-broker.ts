/** The data of a publication that was heard, of the channel with this index. */
export type OnHeard = (channel: number, data: string) => void

/** A broker as it is used by the commands that a node was seen to send, from the same client library, with nothing around them. */
export interface BareBroker {
  /** Resolves when it has been acknowledged. Without data, it sends what the node sent, ready-made. */
  publish(channel: number, data?: string): Promise<unknown>
}

/** What a publication of the benchmark is known by in what a node sends, and in what it hears. */
export const DATA = /[\d.]+ [\d.]+ x{8,}/u

const BEFORE_DATA = '"data":"'

/** The data in what was heard; undefined when it is no publication. */
export const dataIn = (text: string): string | undefined => {
  const begin = text.indexOf(BEFORE_DATA) + BEFORE_DATA.length
  return begin < BEFORE_DATA.length ? undefined : text.slice(begin, text.indexOf('"', begin))
}
