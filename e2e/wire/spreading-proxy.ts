import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Random } from '@fusewire/testkit'

/** An HTTP/1.1 load balancer that sends every request to a node by chance, whoever it comes from, and past those that take none. */
export class SpreadingProxy implements AsyncDisposable {
  /** Base URLs of the nodes without TLS. */
  nodes: readonly string[]
  readonly #random: Random
  readonly #server: Server
  readonly #agent = new Agent({ keepAlive: true })

  private constructor(nodes: readonly string[], random: Random) {
    this.nodes = nodes
    this.#random = random
    this.#server = createServer((incoming, outgoing) => void this.#serve(incoming, outgoing))
  }

  static async start(nodes: readonly string[], random: Random): Promise<SpreadingProxy> {
    const proxy = new SpreadingProxy(nodes, random)
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening')
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server.close(), 'close')
    this.#server.closeAllConnections()
    this.#agent.destroy()
    await closed
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const order = this.nodes.toSorted(() => this.#random.next() - 0.5)
    for (const node of order) if (await this.#pass(node, body, incoming, outgoing)) return
    outgoing.destroy()
  }

  /** False when the node takes no connections: nothing has been asked of it. */
  #pass(node: string, body: Buffer, { method, url, headers }: IncomingMessage, outgoing: ServerResponse): Promise<boolean> {
    return new Promise((resolve) => {
      const upstream = request(node + url, {
        method,
        headers: { ...headers, 'content-length': body.byteLength },
        agent: this.#agent,
      })
      outgoing.once('close', () => upstream.destroy())
      upstream.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ECONNREFUSED') outgoing.destroy()
        resolve(error.code !== 'ECONNREFUSED')
      })
      upstream.on('response', (response) => {
        outgoing.writeHead(response.statusCode ?? 502, response.headers)
        outgoing.flushHeaders()
        response.on('error', () => outgoing.destroy())
        response.pipe(outgoing)
        resolve(true)
      })
      upstream.end(body)
    })
  }
}
