import { type ChannelRecord, decodeRecord } from './channel-record.ts'

/** Records are forgotten by the block, of which this many take all the memory that there may be. */
const BLOCKS = 16
/** Of a record's length, before its bytes. */
const LENGTH_BYTES = 4

interface Block {
  readonly bytes: Buffer
  /** By sequence: where a record begins, until it is read, and what it says from then on. */
  readonly records: Map<number, number | ChannelRecord>
  used: number
}

/**
 * Records that this node has heard, written or read; what was remembered first is forgotten first. Most are never read again. Until one
 * is, it is bytes in a block that garbage collection does not look into: as objects, or as text, all of them would be moved to the old
 * generation, to be garbage there.
 */
export class RecordCache {
  readonly #maxBytes: number
  readonly #blockBytes: number
  /** The newest first. */
  readonly #blocks: Block[] = []
  #bytes = 0

  /** `maxBytes`: of all records, encoded. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
    this.#blockBytes = Math.floor(maxBytes / BLOCKS)
  }

  /** Undefined for one that is not known. */
  get(sequence: number): ChannelRecord | undefined {
    for (const { bytes, records } of this.#blocks) {
      const found = records.get(sequence)
      if (found === undefined) continue
      if (typeof found !== 'number') return found
      const from = found + LENGTH_BYTES
      const record = decodeRecord(bytes.subarray(from, from + bytes.readUInt32LE(found)))
      if (record) records.set(sequence, record)
      return record
    }
    return undefined
  }

  /**
   * Takes a copy of an encoded record; with `record`, what it says: then no copy where one with this sequence is known, so that a record
   * which is read again and again does not drive out the others. What was known with this sequence holds no longer.
   */
  remember(sequence: number, encoded: Uint8Array, record?: ChannelRecord): void {
    const known = record && this.#blocks.find(({ records }) => records.has(sequence))
    if (known) {
      known.records.set(sequence, record)
      return
    }
    const block = this.#blockFor(LENGTH_BYTES + encoded.length)
    if (!block) return
    const { bytes, records, used } = block
    bytes.writeUInt32LE(encoded.length, used)
    bytes.set(encoded, used + LENGTH_BYTES)
    records.set(sequence, record ?? used)
    block.used += LENGTH_BYTES + encoded.length
  }

  clear(): void {
    this.#blocks.length = 0
    this.#bytes = 0
  }

  /** One with room for so many bytes; undefined when that is more than there may be. */
  #blockFor(bytes: number): Block | undefined {
    const [newest] = this.#blocks
    if (newest && newest.used + bytes <= newest.bytes.length) return newest
    if (bytes > this.#maxBytes) return undefined
    const block: Block = { bytes: Buffer.allocUnsafeSlow(Math.max(this.#blockBytes, bytes)), records: new Map(), used: 0 }
    this.#blocks.unshift(block)
    this.#bytes += block.bytes.length
    while (this.#bytes > this.#maxBytes) this.#bytes -= this.#blocks.pop()?.bytes.length ?? 0
    return block
  }
}
