import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { ServerMessage } from '@fusewire/protocol'
import { eventually } from '@fusewire/testkit'
import { decodeMulti, encode } from '@msgpack/msgpack'
import { describe, expect, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { serverTest } from './server-test.ts'
import { DEVELOPMENT } from './server-variants.ts'

const it = serverTest(DEVELOPMENT)

const CLIENTS = [
  { encoding: 'json', deflate: true },
  { encoding: 'json', deflate: false },
  { encoding: 'msgpack', deflate: true },
  { encoding: 'msgpack', deflate: false },
] as const

type Kind = (typeof CLIENTS)[number]

class Client {
  readonly socket: WebSocket
  readonly received: ServerMessage[] = []
  readonly #isJson: boolean

  constructor(base: string, { encoding, deflate }: Kind) {
    this.#isJson = encoding === 'json'
    this.socket = new WebSocket(`${base.replace('http', 'ws')}/fusewire/v1/ws`, `fusewire.v1.${encoding}`, {
      perMessageDeflate: deflate && { threshold: 0 },
    })
    this.socket.on('message', (data: Buffer, isBinary) => {
      expect(isBinary).toBe(!this.#isJson)
      const messages = this.#isJson
        ? data
            .toString()
            .split('\n')
            .map((line) => JSON.parse(line))
        : [...decodeMulti(data)]
      this.received.push(...(messages as ServerMessage[]))
    })
    onTestFinished(() => this.socket.terminate())
  }

  static async open(base: string, kind: Kind): Promise<Client> {
    const client = new Client(base, kind)
    await once(client.socket, 'open')
    return client
  }

  send(message: object): void {
    this.socket.send(this.#isJson ? JSON.stringify(message) : encode(message))
  }

  async join(channel: string): Promise<this> {
    this.send({ type: 'connect', subscriptions: [{ channel }] })
    await eventually(() => expect(this.received.at(-1)).toMatchObject({ type: 'subscribed', channel }))
    return this
  }

  get publications() {
    return this.received.filter((message) => message.type === 'publication')
  }
}

describe('plain ws clients', () => {
  it('agree on permessage-deflate when they offer it, and only then', async ({ server }) => {
    for (const kind of CLIENTS)
      for (const base of [server.https, server.http]) {
        const { socket } = await Client.open(base, kind)
        expect(socket.extensions).toBe(kind.deflate ? 'permessage-deflate' : '')
        expect(socket.protocol).toBe(`fusewire.v1.${kind.encoding}`)
      }
  })

  it('of every kind get the same publications, in order, also from one another', async ({ server, api }) => {
    const channel = 'ws:all'
    const opened = CLIENTS.flatMap((kind) => [server.https, server.http].map((base) => Client.open(base, kind)))
    const clients = await Promise.all((await Promise.all(opened)).map((client) => client.join(channel)))
    for (const [index, client] of clients.entries())
      client.send({
        type: 'publish',
        id: index,
        channel,
        data: { from: index, text: 'příliš žluťoučký kůň '.repeat(index * 30) },
      })
    for (let n = 0; n < 20; n++) await api.publish(channel, n)
    const total = clients.length + 20
    await eventually(() => expect(clients.every(({ publications }) => publications.length === total)).toBe(true))
    const [first, ...others] = clients.map(({ publications }) => publications)
    expect(first?.map((publication) => publication.offset)).toEqual(Array.from({ length: total }, (_, n) => n + 1))
    for (const publications of others) expect(publications).toEqual(first)
    expect(new Set(first?.map(({ data }) => JSON.stringify(data))).size).toBe(total)
  })

  it('with deflate are sent much less for what is large, and the same for what is small', async ({ server, api }) => {
    const channel = 'ws:size'
    const bytesFor = async (deflate: boolean, data: unknown): Promise<number> => {
      const client = await (await Client.open(server.http, { encoding: 'json', deflate })).join(channel)
      const { _socket: socket } = client.socket as unknown as { _socket: Socket }
      const before = socket.bytesRead
      await api.publish(channel, data)
      await eventually(() => expect(client.publications.at(-1)?.data).toEqual(data))
      return socket.bytesRead - before
    }
    const large = Array.from({ length: 500 }, (_, n) => ({ symbol: `SYM${n}`, price: 100 + n }))
    expect(await bytesFor(true, large)).toBeLessThan((await bytesFor(false, large)) / 3)
    expect(await bytesFor(true, 'small')).toBe(await bytesFor(false, 'small'))
  })

  it('may send what is compressed to a bomb, and are closed for it', async ({ server }) => {
    const client = await Client.open(server.http, { encoding: 'json', deflate: true })
    client.socket.send('x'.repeat(10_000_000))
    const [code] = await once(client.socket, 'close')
    expect(code).toBe(1009)
  })
})
