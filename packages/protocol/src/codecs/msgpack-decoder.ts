import { MessageError } from '../decode.ts'
import { LIMITS } from '../limits.ts'
import { decodeUtf8 } from '../utf8.ts'

/** Up to this many bytes, a loop over ASCII beats the call of the platform's text decoder. */
const SHORT_STRING = 12
const TIMESTAMP = -1
/** The largest time of an ECMAScript Date, in milliseconds before or after its epoch. */
const MAX_TIME = 8_640_000_000_000_000

const malformed = (what: string): MessageError => new MessageError('malformed_message', `not valid MessagePack: ${what}`)

/**
 * Reads MessagePack values one after another. No length of the input is believed before it is checked against the bytes that are
 * left, so that what is allocated stays in proportion to what was received.
 */
export class MsgpackDecoder {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #maxDepth: number
  #at = 0

  /** `maxDepth` counts arrays and maps inside one another: 1 allows a map of plain values. Reading is recursive, so it has a bound. */
  constructor(bytes: Uint8Array, maxDepth: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#maxDepth = Math.min(maxDepth, LIMITS.depth)
  }

  /** True when all bytes have been read. */
  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  /**
   * Reads the next value.
   * @throws {@link MessageError}
   */
  next(): unknown {
    return this.#value(this.#maxDepth)
  }

  #value(depth: number): unknown {
    const head = this.#byte()
    if (head < 0x80) return head
    if (head < 0x90) return this.#map(head & 0x0f, depth)
    if (head < 0xa0) return this.#array(head & 0x0f, depth)
    if (head < 0xc0) return this.#string(head & 0x1f)
    if (head >= 0xe0) return head - 0x100
    switch (head) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return this.#binary(this.#uint8())
      case 0xc5:
        return this.#binary(this.#uint16())
      case 0xc6:
        return this.#binary(this.#uint32())
      case 0xc7:
        return this.#extension(this.#uint8())
      case 0xc8:
        return this.#extension(this.#uint16())
      case 0xc9:
        return this.#extension(this.#uint32())
      case 0xca:
        return this.#view.getFloat32(this.#skip(4))
      case 0xcb:
        return this.#view.getFloat64(this.#skip(8))
      case 0xcc:
        return this.#uint8()
      case 0xcd:
        return this.#uint16()
      case 0xce:
        return this.#uint32()
      case 0xcf:
        return this.#safe(this.#uint32() * 2 ** 32 + this.#uint32())
      case 0xd0:
        return this.#view.getInt8(this.#skip(1))
      case 0xd1:
        return this.#view.getInt16(this.#skip(2))
      case 0xd2:
        return this.#view.getInt32(this.#skip(4))
      case 0xd3:
        return this.#safe(this.#view.getInt32(this.#skip(4)) * 2 ** 32 + this.#uint32())
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (head - 0xd4))
      case 0xd9:
        return this.#string(this.#uint8())
      case 0xda:
        return this.#string(this.#uint16())
      case 0xdb:
        return this.#string(this.#uint32())
      case 0xdc:
        return this.#array(this.#uint16(), depth)
      case 0xdd:
        return this.#array(this.#uint32(), depth)
      case 0xde:
        return this.#map(this.#uint16(), depth)
      case 0xdf:
        return this.#map(this.#uint32(), depth)
      default:
        throw malformed('the byte 0xc1 is reserved')
    }
  }

  #array(length: number, depth: number): unknown[] {
    this.#enter(length, depth)
    const array: unknown[] = []
    for (let i = 0; i < length; i++) array.push(this.#value(depth - 1))
    return array
  }

  #map(length: number, depth: number): Record<string, unknown> {
    this.#enter(length * 2, depth)
    const map: Record<string, unknown> = {}
    for (let i = 0; i < length; i++) {
      const key = this.#key()
      const value = this.#value(depth - 1)
      // A plain assignment would set the prototype; like JSON.parse, make it a field as any other.
      if (key === '__proto__') Object.defineProperty(map, key, { value, configurable: true, enumerable: true, writable: true })
      else map[key] = value
    }
    return map
  }

  /** Each value that is to come takes at least one byte. */
  #enter(values: number, depth: number): void {
    if (depth <= 0) throw new MessageError('message_too_deep', `nested deeper than ${this.#maxDepth}`)
    if (values > this.#bytes.length - this.#at) throw malformed('it ends early')
  }

  #key(): string {
    const head = this.#byte()
    if (head >= 0xa0 && head < 0xc0) return this.#string(head & 0x1f)
    if (head === 0xd9) return this.#string(this.#uint8())
    if (head === 0xda) return this.#string(this.#uint16())
    if (head === 0xdb) return this.#string(this.#uint32())
    throw malformed('a map key is not a string')
  }

  #string(length: number): string {
    const start = this.#skip(length)
    const end = this.#at
    if (length <= SHORT_STRING) {
      let text = ''
      let at = start
      for (; at < end; at++) {
        const byte = this.#bytes[at] as number
        if (byte >= 0x80) break
        text += String.fromCharCode(byte)
      }
      if (at === end) return text
    }
    return decodeUtf8(this.#bytes.subarray(start, end))
  }

  /** A copy: a view would keep the whole payload alive, and change with a receive buffer that is used again. */
  #binary(length: number): Uint8Array {
    const start = this.#skip(length)
    const copy = new Uint8Array(length)
    copy.set(this.#bytes.subarray(start, this.#at))
    return copy
  }

  #extension(length: number): string {
    const type = this.#view.getInt8(this.#skip(1))
    const start = this.#skip(length)
    if (type !== TIMESTAMP) throw malformed(`extension type ${type} is unknown`)
    if (length === 4) return this.#timestamp(this.#view.getUint32(start), 0)
    if (length === 8) {
      const high = this.#view.getUint32(start)
      return this.#timestamp((high & 3) * 2 ** 32 + this.#view.getUint32(start + 4), high >>> 2)
    }
    if (length === 12) {
      const seconds = this.#view.getInt32(start + 4) * 2 ** 32 + this.#view.getUint32(start + 8)
      return this.#timestamp(seconds, this.#view.getUint32(start))
    }
    throw malformed(`a timestamp of ${length} bytes`)
  }

  /** What JSON makes of a date, so that subscribers of both codecs see the same. */
  #timestamp(seconds: number, nanoseconds: number): string {
    const time = seconds * 1000 + Math.floor(nanoseconds / 1_000_000)
    if (nanoseconds > 999_999_999 || Math.abs(time) > MAX_TIME) throw malformed('a timestamp out of range')
    return new Date(time).toISOString()
  }

  #safe(value: number): number {
    if (!Number.isSafeInteger(value)) throw malformed('an integer beyond 2^53 - 1')
    return value
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw malformed('it ends early')
    return byte
  }

  #uint8(): number {
    return this.#view.getUint8(this.#skip(1))
  }

  #uint16(): number {
    return this.#view.getUint16(this.#skip(2))
  }

  #uint32(): number {
    return this.#view.getUint32(this.#skip(4))
  }

  /** Passes over `length` bytes and gives where they start. */
  #skip(length: number): number {
    const start = this.#at
    if (length > this.#bytes.length - start) throw malformed('it ends early')
    this.#at = start + length
    return start
  }
}
