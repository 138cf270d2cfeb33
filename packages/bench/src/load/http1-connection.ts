import type { Socket } from 'node:net'
import { type Address, openSocket, type SocketOptions } from './open-socket.ts'

const END_OF_HEAD = '\r\n\r\n'

export interface Http1Answer {
  readonly status: number
  readonly body: Buffer
}

const closed = (): Error => new Error('the connection was closed instead of an answer')

/** One HTTP/1.1 connection that is kept, with one request at a time. It reads of an answer's head its status and how long it is. */
export class Http1Connection {
  readonly #socket: Socket
  #rest: Buffer = Buffer.alloc(0)
  #onAnswer: (answer: Http1Answer) => void = () => {}
  #onLost: (error: Error) => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket
      .on('data', (chunk: Buffer) => this.#receive(chunk))
      .on('error', () => socket.destroy())
      .on('close', () => this.#onLost(closed()))
  }

  static async open(address: Address, options: SocketOptions = {}): Promise<Http1Connection> {
    return new Http1Connection(await openSocket(address, options))
  }

  /** Resolves with the status, once the whole answer has come. The server has to say how long it is. */
  async post(path: string, body: Buffer): Promise<number> {
    return (await this.ask(path, body)).status
  }

  /** The same, with the body of the answer. Rejects when the connection is closed instead. */
  ask(path: string, body: Buffer): Promise<Http1Answer> {
    if (this.#socket.closed) return Promise.reject(closed())
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
    this.#socket.write(Buffer.concat([Buffer.from(head), body]))
    return new Promise((resolve, reject) => {
      this.#onAnswer = resolve
      this.#onLost = reject
    })
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = bytes
    const end = bytes.indexOf(END_OF_HEAD)
    if (end === -1) return
    const head = bytes.toString('latin1', 0, end)
    const length = Number(/\r\ncontent-length: *(\d+)/iu.exec(head)?.[1])
    if (Number.isNaN(length)) throw new Error(`an answer does not say how long it is: ${head}`)
    if (bytes.length < end + END_OF_HEAD.length + length) return
    const begin = end + END_OF_HEAD.length
    this.#rest = bytes.subarray(begin + length)
    this.#onAnswer({ status: Number(head.slice(9, 12)), body: bytes.subarray(begin, begin + length) })
  }
}
