import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Random } from '@fusewire/testkit'

/**
 * A TCP load balancer that looks at no bytes, and goes past nodes whose port refuses. Without a `random` clients go to the nodes in
 * turn, and the connections of one client to the same node for as long as it takes them, as where nodes share no broker; with one each
 * connection goes to any node.
 */
export class Balancer implements AsyncDisposable {
  /** Ports of the nodes; one that has no node now is undefined. */
  readonly nodes: (number | undefined)[] = []
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  readonly #random: Random | undefined
  #turn = 0

  constructor(random?: Random) {
    this.#random = random
  }

  /** A port for one client: that is how the balancer knows it again. */
  async open(): Promise<number> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    this.#servers.push(server)
    let turn = this.#turn++
    server.on('connection', async (client) => {
      this.#watch(client)
      turn = this.#random?.integer(0, this.nodes.length - 1) ?? turn
      for (let asked = 0; asked < this.nodes.length; asked++) {
        const port = this.nodes[turn % this.nodes.length]
        const node = port === undefined ? undefined : await tryPort(port)
        if (node) return this.#join(client, node)
        turn++
      }
      client.resetAndDestroy()
    })
    return (server.address() as AddressInfo).port
  }

  #join(client: Socket, node: Socket): void {
    this.#watch(node)
    for (const [one, other] of [
      [client, node],
      [node, client],
    ] as const) {
      if (one.destroyed) other.destroy()
      one.pipe(other)
      one.on('close', () => other.destroy())
    }
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#servers.map((server) => once(server.close(), 'close'))
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(closed)
  }
}

const tryPort = (port: number): Promise<Socket | undefined> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    const refused = (): void => resolve(undefined)
    socket.once('error', refused)
    socket.once('connect', () => {
      socket.off('error', refused)
      resolve(socket)
    })
  })
