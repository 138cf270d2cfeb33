/** Says what a server of the plain dialect does with a message: {@link Rooms.handle}. */
export interface Deliveries<Client> {
  /** Sends one message to all of them. */
  readonly fanOut: (clients: Iterable<Client>, payload: Buffer) => void
  readonly answer: (client: Client, payload: Buffer) => void
}

const SUBSCRIBE = 0x53
const PUBLISH = 0x50
const LF = 0x0a
const SUBSCRIBED = Buffer.from('ok')

/** Who is subscribed to what, for servers that speak the benchmark's plain dialect. */
export class Rooms<Client> {
  readonly #rooms = new Map<string, Set<Client>>()
  readonly #joined = new Map<Client, Set<Client>[]>()
  readonly #deliveries: Deliveries<Client>

  constructor(deliveries: Deliveries<Client>) {
    this.#deliveries = deliveries
  }

  handle(client: Client, message: Buffer): void {
    const [kind] = message
    if (kind === SUBSCRIBE) {
      for (const channel of message.toString('utf8', 1).split(',')) this.#join(client, channel)
      this.#deliveries.answer(client, SUBSCRIBED)
    } else if (kind === PUBLISH) {
      const end = message.indexOf(LF)
      const room = this.#rooms.get(message.toString('latin1', 1, end))
      if (room) this.#deliveries.fanOut(room, message.subarray(end + 1))
    } else this.#deliveries.answer(client, message.subarray(1))
  }

  leave(client: Client): void {
    for (const room of this.#joined.get(client) ?? []) room.delete(client)
    this.#joined.delete(client)
  }

  #join(client: Client, channel: string): void {
    const room = this.#rooms.get(channel) ?? new Set()
    this.#rooms.set(channel, room.add(client))
    const joined = this.#joined.get(client)
    if (joined) joined.push(room)
    else this.#joined.set(client, [room])
  }
}
