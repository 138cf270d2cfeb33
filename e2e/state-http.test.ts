import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import { mergePatch, type Position, type Publication, type Subscribed } from '@fusewire/protocol'
import { eventually } from '@fusewire/testkit'
import { describe, expect, onTestFinished } from 'vitest'
import type { FusewireProcess } from './fusewire-process.ts'
import { serverTest } from './server-test.ts'
import { API_KEY, PAGE_ORIGIN, PRODUCTION, signToken } from './server-variants.ts'
import { readUntil } from './wire/read-until.ts'
import { readEvents } from './wire/server-sent-events.ts'
import { tcpWay } from './wire/tcp-way.ts'
import { all, join, until, type Way, type WireClient } from './wire/way.ts'
import { webSocketWay } from './wire/websocket-way.ts'

const it = serverTest({
  ...PRODUCTION,
  rules: [
    { pattern: 'doc:*', state: true, publish: 'user' },
    { pattern: 'mine:*', state: true, subscribe: 'owner' },
  ],
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: unknown
}

interface Snapshot {
  readonly position: Position
  readonly document: unknown
}

/** A client of HTTP/2 that has one session, as a browser has. */
class Http2Client {
  readonly session: ClientHttp2Session

  private constructor(session: ClientHttp2Session) {
    this.session = session
  }

  static async open(base: string): Promise<Http2Client> {
    const session = connect(base)
    onTestFinished(() => session.destroy())
    await once(session, 'remoteSettings')
    return new Http2Client(session)
  }

  async send(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Answer> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const request = this.session.request(
      { ':method': method, ':path': path, ...(body !== undefined && { 'content-type': type }), ...headers },
      { endStream: body === undefined },
    )
    if (body !== undefined) request.end(JSON.stringify(body))
    const [head] = (await once(request, 'response')) as [Record<string, unknown>]
    const { text } = await readUntil(request, undefined)
    return { status: Number(head[':status']), headers: head, body: text === '' ? undefined : JSON.parse(text) }
  }
}

const pathOf = (channel: string): string => `/v1/channels/${encodeURIComponent(channel)}/state`
const BACKEND = { authorization: `Bearer ${API_KEY}` }

/** A document by what its reader was sent, as the guide says: the snapshot, or what came with `subscribed`, and each change after that. */
const readDocument = (snapshot: Snapshot | undefined, subscribed: Subscribed, publications: readonly Publication[]): Snapshot => {
  let document = subscribed.recovered ? snapshot?.document : subscribed.document
  let offset = subscribed.recovered ? (snapshot?.position.offset ?? 0) : subscribed.position.offset
  for (const publication of [...(subscribed.publications ?? []), ...publications]) {
    expect(publication.offset).toBe(++offset)
    document = publication.patch ? mergePatch(document, publication.data) : publication.data
  }
  return { position: { epoch: subscribed.position.epoch, offset }, document }
}

type Reader = () => Snapshot

/** Loads the snapshot over HTTP/2 by the client's own token, and goes on from there over another way in. */
const openReader = async (server: FusewireProcess, http: Http2Client, way: Way, channel: string): Promise<Reader> => {
  const token = await signToken(`reader of ${way.name}`)
  const { body } = await http.send('GET', pathOf(channel), { authorization: `Bearer ${token}` })
  const snapshot = body as Snapshot
  const client = await way.open(server)
  onTestFinished(() => client.destroy())
  const subscribed = await join(client, channel, { token, since: snapshot.position })
  expect(subscribed.recovered).toBe(true)
  return () => readDocument(snapshot, subscribed, all(client, 'publication'))
}

/** A page with nothing but an `EventSource`: the document comes with `subscribed`. */
const openOneWayReader = async (http: Http2Client, channel: string): Promise<Reader> => {
  const token = await signToken('reader of events')
  const stream = http.session.request({ ':path': `/fusewire/v1/sse?channel=${encodeURIComponent(channel)}&token=${token}` })
  let text = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const subscribed = await eventually(() => {
    const event = readEvents(text).find(({ event }) => event === 'subscribed')
    if (!event) throw new Error('not subscribed yet')
    return event.data as Subscribed
  })
  const publications = (): Publication[] =>
    readEvents(text)
      .filter(({ event }) => event === 'message')
      .map(({ data }) => data as Publication)
  return () => readDocument(undefined, subscribed, publications())
}

describe('[D4] a document over HTTP/2', () => {
  it('is sent once as long as it does not change, to pages of allowed origins too', async ({ server }) => {
    const http = await Http2Client.open(server.https)
    const path = pathOf('doc:etag')
    const reader = { authorization: `Bearer ${await signToken('ann')}`, origin: PAGE_ORIGIN }
    expect((await http.send('GET', path, reader)).status).toBe(404)
    expect((await http.send('PUT', path, BACKEND, { title: 'Draft' })).status).toBe(200)

    const first = await http.send('GET', path, reader)
    const etag = String(first.headers.etag)
    expect(first).toMatchObject({ status: 200, body: { position: { offset: 1 }, document: { title: 'Draft' } } })
    expect(first.headers).toMatchObject({ 'cache-control': 'no-cache', 'access-control-allow-origin': PAGE_ORIGIN })
    const again = await http.send('GET', path, { ...reader, 'if-none-match': etag })
    expect([again.status, again.body, again.headers.etag]).toEqual([304, undefined, etag])
    expect(await http.send('HEAD', path, reader)).toMatchObject({ status: 200, body: undefined, headers: { etag } })

    await http.send('PATCH', path, BACKEND, { done: true })
    const changed = await http.send('GET', path, { ...reader, 'if-none-match': etag })
    expect(changed).toMatchObject({ status: 200, body: { document: { title: 'Draft', done: true } } })
    expect(changed.headers.etag).not.toBe(etag)
  })

  it('is for those who may subscribe, and for pages of no other origin', async ({ server }) => {
    const http = await Http2Client.open(server.https)
    const path = pathOf('mine:ann')
    await http.send('PUT', path, BACKEND, { secret: 1 })
    const get = async (headers: Record<string, string>): Promise<number> => (await http.send('GET', path, headers)).status
    expect(await get({ authorization: `Bearer ${await signToken('ann')}` })).toBe(200)
    expect(await get({ authorization: `Bearer ${await signToken('bob')}` })).toBe(403)
    expect(await get({ authorization: `Bearer ${await signToken('ann', { expiresIn: -60 })}` })).toBe(401)
    expect(await get({})).toBe(401)
    expect(await get({ authorization: `Bearer ${await signToken('ann')}`, origin: 'https://evil.example' })).toBe(403)
  })

  it('is the same for every reader, while writers race for it, and of two with the same version one wins', async ({ server }) => {
    const channel = 'doc:race'
    const path = pathOf(channel)
    const http = await Http2Client.open(server.https)
    await http.send('PUT', path, BACKEND, { rounds: 0 })
    const writer = await webSocketWay('HTTP/2', 'json').open(server)
    onTestFinished(() => writer.destroy())
    writer.send({ type: 'connect', token: await signToken('writer') })
    await until(writer, 'connected')

    /** Writers that ask for nothing: all of their patches are merged. */
    const scribble = (round: number): Promise<unknown> =>
      Promise.all([0, 1, 2].map((n) => http.send('PATCH', path, BACKEND, { [`s${n}`]: round, gone: n === 0 ? null : n })))

    const race = async (round: number): Promise<void> => {
      const { headers, body } = await http.send('GET', path, BACKEND)
      const { position: ifPosition } = body as Snapshot
      const id = round + 1
      writer.send({ type: 'publish', id, channel, data: { winner: 'socket', rounds: round }, patch: true, ifPosition })
      const other = await http.send(
        'PATCH',
        path,
        { ...BACKEND, 'if-match': String(headers.etag) },
        { winner: 'http', rounds: round },
      )
      await eventually(() => writer.received.some((message) => 'id' in message && message.id === id))
      const lost = all(writer, 'error').find((error) => error.id === id)
      expect([other.status === 200, lost === undefined].filter((won) => won)).toHaveLength(1)
      const told = (lost ?? other.body) as Snapshot
      expect(told).toMatchObject({
        position: { ...ifPosition, offset: ifPosition.offset + 1 },
        document: { winner: lost ? 'http' : 'socket', rounds: round },
      })
    }

    const readers: Reader[] = []
    const ways = [webSocketWay('HTTP/1.1', 'msgpack'), webSocketWay('HTTP/2', 'json'), tcpWay('TLS'), tcpWay('cleartext')]
    for (let round = 1; round <= 12; round++) {
      const way = ways[round % 5]
      const opening = way ? openReader(server, http, way, channel) : openOneWayReader(http, channel)
      const [reader] = await Promise.all([opening, scribble(round)])
      readers.push(reader)
      await race(round)
    }
    const { body } = await http.send('GET', path, BACKEND)
    const { position, document } = body as Snapshot
    expect(document).toMatchObject({ rounds: 12, s0: 12, s1: 12, s2: 12 })
    await eventually(() => {
      for (const reader of readers) expect(reader()).toEqual({ position, document })
    })
  })

  it('[D2] is any value, null and bytes too, in whichever encoding it is read', async ({ server }) => {
    const path = pathOf('doc:any')
    const http = await Http2Client.open(server.https)
    const token = await signToken('ann')
    const read = async () => ((await http.send('GET', path, BACKEND)).body as Snapshot).document
    const subscribe = async (encoding: Way['encoding']): Promise<WireClient> => {
      const client = await webSocketWay('HTTP/2', encoding).open(server)
      onTestFinished(() => client.destroy())
      await join(client, 'doc:any', { token })
      return client
    }
    const document = (client: WireClient): unknown => all(client, 'subscribed').at(-1)?.document

    expect((await http.send('PUT', path, BACKEND, null)).status).toBe(200)
    expect(await read()).toBeNull()
    const clients = [await subscribe('json'), await subscribe('msgpack')] as const
    expect(clients.map(document)).toEqual([null, null])

    clients[1].send({ type: 'publish', id: 7, channel: 'doc:any', data: { bytes: new Uint8Array([0, 255]) }, patch: true })
    await until(clients[1], 'result', { id: 7 })
    expect(await read()).toMatchObject({ bytes: 'AP8=' })
    for (const client of clients) client.send({ type: 'subscribe', id: 8, channel: 'doc:any' })
    for (const client of clients) await until(client, 'subscribed', { id: 8 })
    expect(clients.map(document)).toMatchObject([{ bytes: 'AP8=' }, { bytes: Buffer.from([0, 255]) }])

    expect((await http.send('PATCH', path, BACKEND, null)).status).toBe(200)
    await eventually(() => expect(all(clients[0], 'publication').at(-1)).toMatchObject({ data: null, patch: true }))
    expect(await read()).toBeNull()
  })

  it('[D2] may have members whose names mean something to JavaScript', async ({ server }) => {
    const path = pathOf('doc:names')
    const http = await Http2Client.open(server.https)
    const patches = ['{"a":{"__proto__":{"b":{"__proto__":{"c":1}}}},"constructor":{"d":1}}', '{"a":{"__proto__":{"b":null}}}']
    for (const patch of patches) expect((await http.send('PATCH', path, BACKEND, JSON.parse(patch))).status).toBe(200)
    const { body } = await http.send('GET', path, BACKEND)
    expect(JSON.stringify((body as Snapshot).document)).toBe('{"a":{"__proto__":{}},"constructor":{"d":1}}')
  })

  it('[D5] is gone for all when it is removed', async ({ server }) => {
    const channel = 'doc:removed'
    const http = await Http2Client.open(server.https)
    await http.send('PUT', pathOf(channel), BACKEND, { a: 1 })
    const client = await tcpWay('TLS').open(server)
    onTestFinished(() => client.destroy())
    await join(client, channel, { token: await signToken('ann') })
    expect((await http.send('DELETE', pathOf(channel), BACKEND)).status).toBe(204)
    await eventually(() => expect(all(client, 'subscribed')).toHaveLength(2))
    expect(all(client, 'subscribed')[1]).toMatchObject({ recovered: false, position: { offset: 0 } })
    expect((await http.send('GET', pathOf(channel), BACKEND)).status).toBe(404)
    await http.send('PATCH', pathOf(channel), BACKEND, { b: 2 })
    await eventually(() => expect(all(client, 'publication')).toMatchObject([{ offset: 1, data: { b: 2 }, patch: true }]))
  })
})
