import type { NodeBus, NodeBusListener } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import { kvToken } from './kv-key.ts'
import type { NatsLink } from './nats-link.ts'

/** Bytes of a message at most, put together. */
export const MAX_BUS_MESSAGE_BYTES = 64 * 1024 * 1024

/** What comes before the bytes of a part besides the name of its node: version, length of the name, message, part, parts. */
const FIXED_BYTES = 1 + 2 + 4 + 4 + 4
const VERSION = 1
const ENCODER = new TextEncoder()
const DECODER = new TextDecoder()

/** The parts of a message that have come so far. Those of one message follow one another. */
interface Partial {
  readonly message: number
  readonly parts: Uint8Array[]
  bytes: number
}

/**
 * Messages between nodes over core NATS: `<prefix>.node.<id>` for one, `<prefix>.nodes` for all. What is larger than the server takes
 * in one (`max_payload`) is sent in parts.
 */
export class NatsBus implements NodeBus {
  readonly #link: NatsLink
  readonly #prefix: string
  readonly #partials = new Map<string, Partial>()
  readonly #stops: (() => void)[] = []
  #name = new Uint8Array()
  #node = ''
  #listener: NodeBusListener | undefined
  #messages = 0

  /** `prefix` is a token. */
  constructor(link: NatsLink, prefix: string) {
    this.#link = link
    this.#prefix = prefix
    link.use({ away: () => this.#partials.clear() })
  }

  async start(node: string, listener: NodeBusListener): Promise<void> {
    this.#node = node
    this.#name = ENCODER.encode(node)
    this.#listener = listener
    await this.#link.open()
    this.#stops.push(
      this.#link.listen(this.#subject(), ({ data }) => this.#heard(data, 'all')),
      this.#link.listen(this.#subject(node), ({ data }) => this.#heard(data, 'one')),
    )
    await this.#link.session().flush()
  }

  /** Whatever is sent while the connection is behind waits in it; nobody is told whether it arrives. */
  async send(payload: Uint8Array, to?: string): Promise<void> {
    if (payload.length > MAX_BUS_MESSAGE_BYTES)
      throw new FusewireError('message_too_large', `${payload.length} bytes for other nodes; ${MAX_BUS_MESSAGE_BYTES} at most`)
    const session = this.#link.session()
    const size = session.maxPayload - FIXED_BYTES - this.#name.length
    const parts = Math.max(1, Math.ceil(payload.length / size))
    const message = this.#messages++ >>> 0
    const subject = this.#subject(to)
    for (let part = 0; part < parts; part++)
      session.publish(subject, this.#part(message, part, parts, payload.subarray(part * size, (part + 1) * size)))
  }

  async close(): Promise<void> {
    this.#listener = undefined
    for (const stop of this.#stops.splice(0)) stop()
    this.#partials.clear()
  }

  #subject(node?: string): string {
    return node === undefined ? `${this.#prefix}.nodes` : `${this.#prefix}.node.${kvToken(node)}`
  }

  #part(message: number, part: number, parts: number, bytes: Uint8Array): Uint8Array {
    const data = new Uint8Array(FIXED_BYTES + this.#name.length + bytes.length)
    const view = new DataView(data.buffer)
    view.setUint8(0, VERSION)
    view.setUint16(1, this.#name.length)
    view.setUint32(3, message)
    view.setUint32(7, part)
    view.setUint32(11, parts)
    data.set(this.#name, FIXED_BYTES)
    data.set(bytes, FIXED_BYTES + this.#name.length)
    return data
  }

  /** What no Fusewire has sent is passed over. */
  #heard(data: Uint8Array, to: 'one' | 'all'): void {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    if (data.length < FIXED_BYTES || view.getUint8(0) !== VERSION) return
    const start = FIXED_BYTES + view.getUint16(1)
    if (data.length < start) return
    const sender = DECODER.decode(data.subarray(FIXED_BYTES, start))
    if (to === 'all' && sender === this.#node) return
    const [message, part, parts] = [view.getUint32(3), view.getUint32(7), view.getUint32(11)]
    const bytes = data.subarray(start)
    if (parts === 1) this.#listener?.message(Uint8Array.from(bytes))
    else this.#join(`${to} ${sender}`, message, part, parts, bytes)
  }

  #join(from: string, message: number, part: number, parts: number, bytes: Uint8Array): void {
    const partial = part === 0 ? { message, parts: [], bytes: 0 } : this.#partials.get(from)
    if (!partial) return
    const isNext = partial.message === message && partial.parts.length === part
    partial.bytes += bytes.length
    if (!isNext || partial.bytes > MAX_BUS_MESSAGE_BYTES) {
      this.#partials.delete(from)
      return
    }
    partial.parts.push(Uint8Array.from(bytes))
    if (partial.parts.length < parts) {
      this.#partials.set(from, partial)
      return
    }
    this.#partials.delete(from)
    this.#listener?.message(Uint8Array.from(Buffer.concat(partial.parts)))
  }
}
