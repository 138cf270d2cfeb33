/** Counts messages in a stream of bytes that comes in chunks of any size. */
export interface ByteCounter {
  /** Takes the next bytes, and says how many messages have become whole with them. */
  push(chunk: Buffer): number
}
