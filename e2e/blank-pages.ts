import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Serves an empty page, for pages of other origins than the server's. */
export class BlankPages implements AsyncDisposable {
  readonly #server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<!doctype html><link rel="icon" href="data:,">')
  })

  static async open(): Promise<BlankPages> {
    const pages = new BlankPages()
    await once(pages.#server.listen(0, '127.0.0.1'), 'listening')
    return pages
  }

  /** The origin of the pages, under this name. */
  at(site: string): string {
    return `http://${site}:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
