import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP line to a server on this machine that can be cut and mended, as a cable can: what goes over it is not looked at. */
export class CuttableLine implements AsyncDisposable {
  /** Connect here instead of to the server. */
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #target: number
  #isCut = false
  /** Connections made through it since it was opened. */
  connections = 0

  private constructor(server: Server, target: number) {
    this.#server = server
    this.#target = target
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (near) => this.#join(near))
  }

  /** Opens a line to this port. */
  static async open(target: number): Promise<CuttableLine> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new CuttableLine(server, target)
  }

  /** Resets every connection, and every one that is tried from now on. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** Connections get through again; to another port when one is given. */
  mend(target = this.#target): void {
    this.#target = target
    this.#isCut = false
  }

  #join(near: Socket): void {
    near.on('error', () => {})
    if (this.#isCut) {
      near.resetAndDestroy()
      return
    }
    this.connections++
    const far = connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    far.on('error', () => {})
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one)
      one.pipe(other)
      one.on('close', () => {
        this.#sockets.delete(one)
        other.destroy()
      })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
