import { MessageError } from '../decode.ts'
import { LIMITS } from '../limits.ts'
import { writeUtf8 } from '../utf8.ts'

/** Messages share buffers of this size: one allocation for many messages is the largest single saving here. */
const SLAB_BYTES = 8192
const NOTHING = new Uint8Array(0)
/** Up to this many characters, a loop beats the call of the platform's text encoder. */
const SHORT_STRING = 40

const carried = (value: unknown): boolean => value !== undefined && typeof value !== 'function' && typeof value !== 'symbol'

/** Writes MessagePack values one after another into shared buffers, each number and length in its smallest form. */
export class MsgpackEncoder {
  #bytes = NOTHING
  #view = new DataView(this.#bytes.buffer)
  /** Where the current value starts; what is before it has been given away. */
  #start = 0
  #at = 0

  /**
   * Gives the bytes of one value: a part, its own alone, of a larger buffer.
   * @throws {@link MessageError} when it holds what MessagePack cannot carry here: a bigint, or itself.
   */
  encode(value: unknown): Uint8Array {
    this.#at = this.#start
    this.#value(value, LIMITS.depth)
    if (this.#bytes.length === SLAB_BYTES) {
      const encoded = this.#bytes.subarray(this.#start, this.#at)
      this.#start = this.#at
      return encoded
    }
    // A large message had its own buffer, with room to spare: give back what it does not need.
    const encoded = this.#bytes.slice(0, this.#at)
    this.#bytes = NOTHING
    this.#start = 0
    return encoded
  }

  #value(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'string':
        this.#string(value)
        break
      case 'number':
        this.#number(value)
        break
      case 'boolean':
        this.#byte(value ? 0xc3 : 0xc2)
        break
      case 'object':
        if (value === null) this.#byte(0xc0)
        else this.#object(value, depth)
        break
      case 'bigint':
        throw new MessageError('invalid_field', 'a bigint cannot be carried')
      default:
        this.#byte(0xc0)
    }
  }

  #object(value: object, depth: number): void {
    if (depth <= 0) throw new MessageError('message_too_deep', `nested deeper than ${LIMITS.depth}`)
    if (value instanceof Uint8Array) this.#binary(value)
    else if ('toJSON' in value && typeof value.toJSON === 'function') this.#value(value.toJSON(), depth - 1)
    else if (Array.isArray(value)) this.#array(value, depth - 1)
    else this.#map(value as Record<string, unknown>, depth - 1)
  }

  #array(array: readonly unknown[], depth: number): void {
    this.#header(array.length, 0x90, 0xdc)
    for (let i = 0; i < array.length; i++) this.#value(array[i], depth)
  }

  #map(map: Record<string, unknown>, depth: number): void {
    const keys = Object.keys(map)
    let length = keys.length
    for (const key of keys) if (!carried(map[key])) length--
    this.#header(length, 0x80, 0xde)
    for (const key of keys) {
      const value = map[key]
      if (!carried(value)) continue
      this.#string(key)
      this.#value(value, depth)
    }
  }

  /** The head of an array or map: the small form takes up to 15 entries, the one after `wide16` takes 32 bits. */
  #header(length: number, small: number, wide16: number): void {
    if (length < 16) this.#byte(small | length)
    else if (length < 0x10000) this.#uint16(wide16, length)
    else this.#uint32(wide16 + 1, length)
  }

  #binary(bytes: Uint8Array): void {
    const length = bytes.length
    if (length < 0x100) this.#uint8(0xc4, length)
    else if (length < 0x10000) this.#uint16(0xc5, length)
    else this.#uint32(0xc6, length)
    this.#reserve(length)
    this.#bytes.set(bytes, this.#at)
    this.#at += length
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value)) this.#float64(value)
    else if (value >= 0) {
      if (value < 0x80) this.#byte(value)
      else if (value < 0x100) this.#uint8(0xcc, value)
      else if (value < 0x10000) this.#uint16(0xcd, value)
      else if (value < 2 ** 32) this.#uint32(0xce, value)
      else this.#int64(0xcf, value)
    } else if (value >= -0x20) this.#byte(value & 0xff)
    else if (value >= -0x80) this.#uint8(0xd0, value & 0xff)
    else if (value >= -0x8000) this.#uint16(0xd1, value & 0xffff)
    else if (value >= -(2 ** 31)) this.#uint32(0xd2, value >>> 0)
    else this.#int64(0xd3, value)
  }

  #string(text: string): void {
    // A character takes at most three bytes, and the head five.
    this.#reserve(5 + text.length * 3)
    // Guess that the text is ASCII, which is almost always right; move it when the head had to be larger.
    const guess = text.length < 32 ? 1 : text.length < 0x100 ? 2 : text.length < 0x10000 ? 3 : 5
    const head = this.#at
    const start = head + guess
    const end = text.length <= SHORT_STRING ? this.#shortText(text, start) : start + writeUtf8(text, this.#bytes.subarray(start))
    const length = end - start
    const size = length < 32 ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : 5
    if (size !== guess) this.#bytes.copyWithin(head + size, start, end)
    this.#at = head
    if (size === 1) this.#byte(0xa0 | length)
    else if (size === 2) this.#uint8(0xd9, length)
    else if (size === 3) this.#uint16(0xda, length)
    else this.#uint32(0xdb, length)
    this.#at += length
  }

  /** Writes ASCII; the first other character leaves the text to the platform's encoder. Gives the end. */
  #shortText(text: string, start: number): number {
    const bytes = this.#bytes
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) return start + writeUtf8(text, bytes.subarray(start))
      bytes[start + i] = code
    }
    return start + text.length
  }

  #byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#at++] = value
  }

  #uint8(head: number, value: number): void {
    this.#reserve(2)
    this.#bytes[this.#at++] = head
    this.#bytes[this.#at++] = value
  }

  #uint16(head: number, value: number): void {
    this.#byte(head)
    this.#reserve(2)
    this.#view.setUint16(this.#at, value)
    this.#at += 2
  }

  #uint32(head: number, value: number): void {
    this.#byte(head)
    this.#reserve(4)
    this.#view.setUint32(this.#at, value)
    this.#at += 4
  }

  #int64(head: number, value: number): void {
    this.#byte(head)
    this.#reserve(8)
    this.#view.setInt32(this.#at, Math.floor(value / 2 ** 32))
    this.#view.setUint32(this.#at + 4, value >>> 0)
    this.#at += 8
  }

  #float64(value: number): void {
    this.#byte(0xcb)
    this.#reserve(8)
    this.#view.setFloat64(this.#at, value)
    this.#at += 8
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return
    const written = this.#bytes.subarray(this.#start, this.#at)
    this.#bytes = new Uint8Array(Math.max(SLAB_BYTES, 2 * (written.length + length)))
    this.#view = new DataView(this.#bytes.buffer)
    this.#bytes.set(written)
    this.#start = 0
    this.#at = written.length
  }
}
