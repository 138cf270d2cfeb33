import type { Connection, Frame, FrameFormat, Multicast, Peer, Slot } from '@fusewire/engine'
import { acceptServerMessage, type ClientMessage, type DisconnectCode, jsonCodec, type ServerMessage } from '@fusewire/protocol'

/** Frames that remember their message, so that a test reads what was sent and that a group shares one frame. */
export const memoryFormat = (name = 'memory'): MemoryFormat => new MemoryFormat(name)

/** Gives each of its connections a number, and that of one that has gone to the next one at once. */
export class MemoryFormat implements FrameFormat {
  readonly name: string
  readonly multicast: Multicast = {
    send: (numbers, frame, slot) => {
      for (const number of numbers) this.#connections[number]?.send(frame, slot)
    },
  }
  readonly #connections: (MemoryConnection | undefined)[] = []
  readonly #free: number[] = []

  constructor(name: string) {
    this.name = name
  }

  encode(message: ServerMessage): Frame {
    return new MemoryFrame(message)
  }

  enter(connection: MemoryConnection): number {
    const number = this.#free.pop() ?? this.#connections.length
    this.#connections[number] = connection
    return number
  }

  leave(number: number): void {
    this.#connections[number] = undefined
    this.#free.push(number)
  }
}

class MemoryFrame extends Uint8Array {
  readonly message: ServerMessage

  /** The message is what a client would read: it has been through the codec and the schemas. */
  constructor(message: ServerMessage) {
    super(0)
    const [read] = jsonCodec.decode(jsonCodec.encode(message), Number.POSITIVE_INFINITY)
    this.message = acceptServerMessage(read)
  }
}

const sharedFormat = memoryFormat()

/** A client's end and the engine's end of a connection, without bytes between them. */
export class MemoryConnection implements Connection {
  readonly transport = 'websocket'
  readonly format: MemoryFormat
  readonly number: number
  readonly remoteAddress: string
  /** What the engine has sent, and this client has received so far. */
  readonly received: ServerMessage[] = []
  /** The frames behind {@link received}. */
  readonly frames: Frame[] = []
  closedWith: DisconnectCode | undefined
  probes = 0
  #peer: Peer | undefined

  constructor(open: (connection: Connection) => Peer, format: MemoryFormat = sharedFormat, remoteAddress = '127.0.0.1') {
    this.format = format
    this.number = format.enter(this)
    this.remoteAddress = remoteAddress
    this.#peer = open(this)
  }

  get isOpen(): boolean {
    return this.#peer !== undefined
  }

  send(frame: Frame, _slot?: Slot): void {
    if (!this.#peer || !(frame instanceof MemoryFrame)) return
    this.frames.push(frame)
    this.received.push(frame.message)
  }

  close(code: DisconnectCode): void {
    if (!this.#peer) return
    this.closedWith = code
    this.cut()
  }

  probe(): void {
    this.probes++
  }

  /** The client says this. */
  say(message: ClientMessage, bytes = 0): void {
    this.#peer?.receive(message, bytes)
  }

  /** The peer, for what is no message. */
  get peer(): Peer {
    if (!this.#peer) throw new Error('the connection is closed')
    return this.#peer
  }

  /** The line breaks. */
  cut(): void {
    const peer = this.#peer
    if (!peer) return
    this.#peer = undefined
    peer.closed()
    this.format.leave(this.number)
  }

  /** The messages of one type, in their order. */
  all<T extends ServerMessage['type']>(type: T): Extract<ServerMessage, { type: T }>[] {
    return this.received.filter((message): message is Extract<ServerMessage, { type: T }> => message.type === type)
  }

  /** The last message of one type; throws when there is none. */
  last<T extends ServerMessage['type']>(type: T): Extract<ServerMessage, { type: T }> {
    const message = this.all(type).at(-1)
    if (!message) throw new Error(`no ${type} among ${JSON.stringify(this.received)}`)
    return message
  }
}
