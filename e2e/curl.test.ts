import { eventually } from '@fusewire/testkit'
import { describe, expect } from 'vitest'
import type { FusewireProcess } from './fusewire-process.ts'
import { Program } from './program.ts'
import { serverTest } from './server-test.ts'
import { DEVELOPMENT } from './server-variants.ts'
import { hasTool } from './tools.ts'
import { readEvents, type ServerSentEvent } from './wire/server-sent-events.ts'

const it = serverTest(DEVELOPMENT)

const JSON_BODY = ['-H', 'content-type: application/json', '-d']

/** Starts curl over HTTP/2 with TLS. */
const start = ({ https, certificateFile }: FusewireProcess, path: string, ...args: string[]): Program =>
  new Program('curl', ['-sSN', '--http2', '--cacert', certificateFile, ...args, https + path])

/** Runs curl to its end; `http` is the version of HTTP that was spoken. */
const run = async (curl: Program) => {
  expect(await curl.exit(), curl.err).toBe(0)
  const [, body, http, status] = /^(.*)#([\d.]+) (\d+)$/su.exec(curl.out) ?? []
  return { body: body ?? '', http, status: Number(status) }
}
const WRITE_OUT = ['-w', '#%{http_version} %{http_code}']

const request = (server: FusewireProcess, path: string, ...args: string[]) => run(start(server, path, ...WRITE_OUT, ...args))

const messages = (curl: Program): unknown[] => curl.lines.map((line) => JSON.parse(line))

describe.skipIf(!hasTool('curl'))('curl --http2', () => {
  describe('calls the HTTP API', () => {
    it('over HTTP/2 with TLS', async ({ server }) => {
      const published = await request(server, '/v1/publish', ...JSON_BODY, '{"channel":"api","data":{"hello":1}}')
      expect(published).toMatchObject({ http: '2', status: 200 })
      expect(JSON.parse(published.body)).toEqual({ position: { epoch: expect.any(String), offset: 1 }, duplicate: false })

      const history = await request(server, '/v1/channels/api/history')
      expect(JSON.parse(history.body)).toMatchObject({ publications: [{ offset: 1, data: { hello: 1 } }] })
      const document = JSON.parse((await request(server, '/v1/openapi.json')).body) as { openapi: string }
      expect(document.openapi).toMatch(/^3\./u)
      expect((await request(server, '/readyz')).body).toBe('{"status":"ok"}')
      expect((await request(server, '/metrics')).body).toMatch(/^fusewire_publications_total [1-9]/mu)
    })

    it('in the clear, with prior knowledge, with an upgrade that is not taken, and over HTTP/1.1', async ({ server }) => {
      const versions = ['--http2-prior-knowledge', '--http2', '--http1.1'].map(async (version) => {
        const body = `{"channel":"api:clear","data":${JSON.stringify(version)}}`
        const curl = new Program('curl', ['-sS', version, ...WRITE_OUT, ...JSON_BODY, body, `${server.http}/v1/publish`])
        const { http, status } = await run(curl)
        expect(status).toBe(200)
        return http
      })
      expect(await Promise.all(versions)).toEqual(['2', '1.1', '1.1'])
    })

    it('with many requests side by side on one connection', async ({ server, api }) => {
      const { https, certificateFile } = server
      const urls = `${https}/v1/channels/api:parallel-[1-60]/history`
      const curl = new Program('curl', [
        ...['-sS', '--http2', '--parallel', '--parallel-max', '60', '--cacert', certificateFile],
        ...['-o', '/dev/null', '-w', '%{http_code} %{num_connects}\n', urls],
      ])
      expect(await curl.exit(), curl.err).toBe(0)
      expect(curl.lines.filter((line) => line.startsWith('200'))).toHaveLength(60)
      const connects = curl.lines.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0)
      expect(connects).toBeLessThan(60)
      expect(await api.info()).toMatchObject({ development: true })
    })

    it('gets the documented error for what is wrong', async ({ server }) => {
      const answer = await request(server, '/v1/publish', ...JSON_BODY, '{"channel":"api"}')
      expect(answer.status).toBe(400)
      expect(JSON.parse(answer.body)).toEqual({
        error: { code: 'invalid_field', message: 'data is missing', retryable: false },
      })
    })
  })

  describe('listens to one-way SSE [T12]', () => {
    const events = (curl: Program) => readEvents(curl.out)
    const publications = (curl: Program): ServerSentEvent[] => events(curl).filter(({ event }) => event === 'message')
    const data = (curl: Program) => publications(curl).map((event) => (event.data as { data: unknown }).data)

    it('hears publications as default events, everything else as named ones [T13]', async ({ server, api }) => {
      const curl = start(server, '/fusewire/v1/sse?channel=sse&channel=sse:other')
      await eventually(() => expect(events(curl).filter(({ event }) => event === 'subscribed')).toHaveLength(2))
      await api.publish('sse', 'one')
      await api.publish('sse:other', { two: 2 })
      await eventually(() => expect(data(curl)).toEqual(['one', { two: 2 }]))
      expect(publications(curl)[0]?.data).toMatchObject({ type: 'publication', channel: 'sse', offset: 1 })
      expect(events(curl)[0]).toMatchObject({ event: 'connected', data: { type: 'connected', resumed: false } })
    })

    it('goes on after a cut with Last-Event-ID, as header and in the URL, without gap or duplicate [T14]', async ({
      server,
      api,
    }) => {
      const path = '/fusewire/v1/sse?channel=sse:a&channel=sse:b'
      const first = start(server, path)
      await eventually(() => expect(events(first).filter(({ event }) => event === 'subscribed')).toHaveLength(2))
      for (const n of [1, 2, 3]) await api.publish('sse:a', n)
      await eventually(() => expect(data(first)).toEqual([1, 2, 3]))
      // The position of the second event, as if the third had been lost on its way.
      const id = publications(first)[1]?.id ?? ''
      await first.kill()
      await api.publish('sse:b', 4)
      await api.publish('sse:a', 5)

      const inUrl = `${path}&lastEventId=${encodeURIComponent(id)}`
      for (const second of [start(server, path, '-H', `Last-Event-ID: ${id}`), start(server, inUrl)]) {
        await eventually(() => expect(new Set(data(second))).toEqual(new Set([3, 4, 5])))
        const offsets = publications(second).map(({ data }) => data as { channel: string; offset: number })
        expect(offsets.filter(({ channel }) => channel === 'sse:a').map(({ offset }) => offset)).toEqual([3, 4])
        expect(offsets.filter(({ channel }) => channel === 'sse:b').map(({ offset }) => offset)).toEqual([1])
        for (const { event, data } of events(second)) if (event === 'subscribed') expect(data).toMatchObject({ recovered: true })
      }
    })

    it('is told when an id cannot be read, and not left guessing', async ({ server }) => {
      const curl = start(server, '/fusewire/v1/sse?channel=sse:lost', '-H', 'Last-Event-ID: of another server')
      await eventually(() => expect(events(curl).find(({ event }) => event === 'subscribed')).toBeDefined())
      expect(events(curl).find(({ event }) => event === 'subscribed')?.data).toMatchObject({ recovered: false })
    })

    it('hears only what carries the tags, and who joins', async ({ server, api }) => {
      const curl = start(server, '/fusewire/v1/sse?channel=sse:tags&tag.lang=cs&presence=true')
      await curl.until(/event: subscribed/u)
      await api.publish('sse:tags', 'hello', { tags: { lang: 'en' } })
      await api.publish('sse:tags', 'ahoj', { tags: { lang: 'cs' } })
      const other = start(server, '/fusewire/v1/sse?channel=sse:tags')
      await other.until(/event: subscribed/u)
      await curl.until(/event: join/u)
      expect(data(curl)).toEqual(['ahoj'])
    })
  })

  it('speaks SSE both ways: events down, numbered requests up in any order of arrival [T2] [T3] [T11]', async ({
    server,
    api,
  }) => {
    const down = start(server, '/fusewire/v1/sse')
    const [, connection = ''] = await down.until(/"connection":"([^"]+)"/u)
    const up = (seq: number, ...lines: object[]) => {
      const body = lines.map((line) => JSON.stringify(line)).join('\n')
      const path = `/fusewire/v1/send?connection=${encodeURIComponent(connection)}&seq=${seq}`
      return request(server, path, '-H', 'content-type: application/x-ndjson', '--data-binary', body)
    }
    expect(await up(2, { type: 'subscribe', id: 2, channel: 'sse:both' })).toMatchObject({ status: 202, body: '' })
    expect(await up(1, { type: 'connect', id: 1 }, { type: 'ping', id: 9 })).toMatchObject({ status: 202, http: '2' })
    await down.until(/"subscribed"/u)
    // Repeated, as after a lost answer: no second effect.
    expect(await up(2, { type: 'subscribe', id: 2, channel: 'sse:both' })).toMatchObject({ status: 202 })
    expect(await up(3, { type: 'publish', id: 3, channel: 'sse:both', data: 'up' })).toMatchObject({ status: 202 })
    await down.until(/"result"/u)
    expect(readEvents(down.out).map(({ data }) => (data as { type: string }).type)).toEqual([
      ...['open', 'connected', 'pong', 'subscribed', 'publication', 'result'],
    ])
    expect((await api.history('sse:both')).publications).toHaveLength(1)
    expect(await up(100, { type: 'ping' })).toMatchObject({ status: 409, body: expect.stringContaining('out_of_sequence') })
  })

  it('speaks HTTP streaming both ways in one request that stays open [T7]', async ({ server, api }) => {
    // Unlike `-`, `.` lets curl listen while there is nothing to send.
    const curl = start(server, '/fusewire/v1/stream', '-X', 'POST', '-T', '.', '-H', 'content-type: application/x-ndjson')
    curl.write('{"type":"connect","id":1}\n')
    await curl.until(/"connected"/u)
    curl.write('{"type":"subscribe","id":2,"channel":"stream"}\n{"type":"PING"}\n')
    await curl.until(/"pong"/u)
    await api.publish('stream', 'down')
    await curl.until(/"down"/u)
    curl.write('{"type":"disconnect"}\n')
    curl.endInput()
    expect(await curl.exit(), curl.err).toBe(0)
    expect(messages(curl)).toMatchObject([
      { type: 'open' },
      { type: 'connected', id: 1 },
      { type: 'subscribed', id: 2, channel: 'stream' },
      { type: 'pong' },
      { type: 'publication', channel: 'stream', data: 'down' },
    ])
  })

  it('polls: an answer at once, then one for each that waits [T8] [T9]', async ({ server, api }) => {
    const connect = '{"type":"connect","id":1,"subscriptions":[{"channel":"poll","id":2}]}'
    const poll = (path: string, body: string) =>
      start(server, path, '-X', 'POST', '-H', 'content-type: application/x-ndjson', '--data-binary', body)
    const opened = poll('/fusewire/v1/poll', connect)
    expect(await opened.exit(), opened.err).toBe(0)
    const [open] = messages(opened) as [{ connection: string }]
    expect(open).toMatchObject({ type: 'open' })
    const path = `/fusewire/v1/poll?connection=${encodeURIComponent(open.connection)}`

    const received = messages(opened)
    while (received.length < 3) {
      const next = poll(path, '')
      expect(await next.exit(), next.err).toBe(0)
      received.push(...messages(next))
    }
    expect(received).toMatchObject([{ type: 'open' }, { type: 'connected', id: 1 }, { type: 'subscribed', id: 2 }])

    const waiting = poll(path, '')
    await api.publish('poll', 'for you')
    expect(await waiting.exit(), waiting.err).toBe(0)
    expect(messages(waiting)).toMatchObject([{ type: 'publication', channel: 'poll', data: 'for you' }])
  })

  it('as a page would: a preflight is answered, and the page may read the answer', async ({ server }) => {
    const origin = server.https
    const preflight = await request(
      server,
      '/fusewire/v1/send',
      ...['-X', 'OPTIONS', '-i', '-H', `Origin: ${origin}`, '-H', 'Access-Control-Request-Method: POST'],
    )
    expect(preflight.status).toBe(204)
    expect(preflight.body).toMatch(new RegExp(`^access-control-allow-origin: ${origin}\r$`, 'mu'))
  })
})
