import { Agent, request } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { eventually } from '@fusewire/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Api } from './api.ts'
import { FusewireProcess } from './fusewire-process.ts'
import { API_KEY, DEVELOPMENT } from './server-variants.ts'
import { all, join, until, type WireClient } from './wire/way.ts'
import { WAYS } from './wire/ways.ts'

const start = async (options: Parameters<typeof FusewireProcess.start>[0]): Promise<FusewireProcess> => {
  const server = await FusewireProcess.start({ ...DEVELOPMENT, drainTimeoutMs: 10_000, ...options })
  onTestFinished(async () => {
    await server.stop()
  })
  return server
}

const ended = async (server: FusewireProcess): Promise<void> => {
  await eventually(() => expect(server.isRunning).toBe(false), { timeoutMs: 15_000, intervalMs: 20 })
}

const terminate = (server: FusewireProcess): void => {
  process.kill(server.pid, 'SIGTERM')
}

const openAll = async (server: FusewireProcess, channel: string): Promise<WireClient[]> => {
  const clients = await Promise.all(WAYS.map(({ open }) => open(server)))
  onTestFinished(() => {
    for (const client of clients) client.destroy()
  })
  await Promise.all(clients.map((client) => join(client, channel)))
  return clients
}

describe('a server that leaves', () => {
  it('is not ready at once, and takes clients for as long as load balancers need to notice', async () => {
    const server = await start({ drainDelayMs: 2000, drainWindowMs: 0, apiKeys: [API_KEY] })
    const api = new Api(server.http, API_KEY)
    expect(await api.info()).toMatchObject({ state: 'serving' })
    expect((await fetch(`${server.http}/readyz`)).status).toBe(200)
    terminate(server)
    const ready = await eventually(async () => {
      const answer = await fetch(`${server.http}/readyz`)
      expect(answer.status).toBe(503)
      return answer.json()
    })
    expect(ready).toMatchObject({ error: { code: 'server_draining' } })
    expect((await fetch(`${server.http}/livez`)).status).toBe(200)
    expect(await api.info()).toMatchObject({ state: 'draining' })
    const [way] = WAYS
    const late = await (way as (typeof WAYS)[number]).open(server)
    await join(late, 'news')
    await api.publish('news', 'still here')
    await until(late, 'publication', { data: 'still here' })
    expect(all(late, 'disconnect')).toEqual([])
    await until(late, 'disconnect', { code: 'server_draining' })
    await ended(server)
    expect(await server.stop()).toBe(0)
  })

  it('[C5] tells the clients of every way in to move, at moments spread over the window, and ends before its time', async () => {
    const [windowMs, drainTimeoutMs] = [5000, 15_000]
    const server = await start({ drainWindowMs: windowMs, drainTimeoutMs })
    const clients = await openAll(server, 'news')
    const beganAt = performance.now()
    const told: number[] = []
    terminate(server)
    await Promise.all(
      clients.map(async (client) => {
        await eventually(() => expect(all(client, 'disconnect')).toHaveLength(1))
        told.push(performance.now() - beganAt)
      }),
    )
    for (const client of clients) {
      expect(all(client, 'disconnect')[0]).toEqual({
        type: 'disconnect',
        code: 'server_draining',
        closeCode: 4001,
        reason: expect.any(String),
        reconnect: true,
      })
      await eventually(() => expect(client.end).toBeDefined())
    }
    const fifths = Array.from({ length: 5 }, (_, n) => told.filter((at) => Math.floor((5 * at) / windowMs) === n).length)
    expect(Math.max(...fifths), `in fifths of the window: ${fifths}`).toBeLessThanOrEqual(clients.length / 2)
    await ended(server)
    expect(performance.now() - beganAt).toBeLessThan(drainTimeoutMs)
    expect(await server.stop()).toBe(0)
  })

  it('goes on answering and delivering while clients move, and asks who publishes to come on another connection', async () => {
    const server = await start({ drainWindowMs: 2500 })
    const clients = await openAll(server, 'news')
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const post = (path: string, body: unknown, method = 'POST') =>
      new Promise<{ status: number | undefined; connection: string | undefined; text: string }>((resolve, reject) => {
        const sent = request(`${server.http}${path}`, { method, agent, headers: { 'content-type': 'application/json' } })
        sent.on('error', reject).on('response', (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk) => {
            text += chunk
          })
          response.on('end', () => resolve({ status: response.statusCode, connection: response.headers.connection, text }))
        })
        sent.end(method === 'GET' ? undefined : JSON.stringify(body))
      })
    expect(await post('/v1/publish', { channel: 'news', data: 'before' })).toMatchObject({
      status: 200,
      connection: 'keep-alive',
    })
    // Whoever looks keeps its connection, which is the only one left to look through.
    const begun = await post('/v1/drain', {})
    expect(begun.status).toBe(202)
    expect(JSON.parse(begun.text)).toMatchObject({ delayMs: 0, windowMs: 2500, timeoutMs: 10_000 })
    await eventually(() => expect(clients.filter((client) => all(client, 'disconnect').length > 0).length).toBeGreaterThan(2))
    const info = await post('/v1/info', undefined, 'GET')
    expect(info.connection).toBe('keep-alive')
    expect(JSON.parse(info.text)).toMatchObject({ state: 'draining' })
    expect(await post('/v1/drain', {})).toMatchObject({ status: 202, connection: 'keep-alive' })
    const here = clients.filter((client) => all(client, 'disconnect').length === 0)
    const published = await post('/v1/publish', { channel: 'news', data: 'meanwhile' })
    expect(published).toMatchObject({ status: 200, connection: 'close' })
    for (const client of here.slice(-3))
      await eventually(() =>
        expect(client.received.find(({ type }) => type === 'publication' || type === 'disconnect')).toBeDefined(),
      )
    await ended(server)
    expect(clients.some((client) => all(client, 'publication').some(({ data }) => data === 'meanwhile'))).toBe(true)
    expect(clients.map((client) => client.received.at(-1)?.type)).toEqual(clients.map(() => 'disconnect'))
    expect(await server.stop()).toBe(0)
  })

  it('[C5] sends GOAWAY over HTTP/2, and lets the streams that are open come to their end', async () => {
    const server = await start({ drainWindowMs: 1500 })
    const session = connectHttp2(server.http)
    onTestFinished(() => session.destroy())
    const stream = session.request({ ':path': '/fusewire/v1/sse?channel=news' })
    let text = ''
    stream.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    await eventually(() => expect(text).toContain('event: subscribed'))
    let goaways = 0
    session.on('goaway', () => goaways++)
    const others = await openAll(server, 'news')
    terminate(server)
    await eventually(() => expect(text).toContain('server_draining'))
    await eventually(() => expect(stream.readableEnded).toBe(true))
    expect(stream.rstCode).toBe(0)
    await eventually(() => expect(goaways).toBeGreaterThan(0))
    expect(others.length).toBe(WAYS.length)
    await ended(server)
    expect(await server.stop()).toBe(0)
  })

  it('answers requests that are under way, and ends with the last of them', async () => {
    const server = await start({ drainWindowMs: 0 })
    const body = JSON.stringify({ channel: 'news', data: 'slowly' })
    const socket = connect(server.httpPort, '127.0.0.1')
    onTestFinished(() => {
      socket.destroy()
    })
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    socket.write(
      `POST /v1/publish HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
    )
    await new Api(server.http).info()
    terminate(server)
    await eventually(() => expect(server.log).toContain('Leaving'))
    socket.write(body.slice(5))
    await eventually(() => expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*"offset":1/iu))
    await ended(server)
    expect(await server.stop()).toBe(0)
  })

  it.each([
    ['before its window', { drainDelayMs: 9000, drainWindowMs: 0 }],
    ['in its window', { drainWindowMs: 9000 }],
    ['at its end, while a request hangs', { drainWindowMs: 0 }],
  ])('ends at once with the second signal %s', async (_when, options) => {
    const server = await start(options)
    await openAll(server, 'news')
    const hanging = connect(server.httpPort, '127.0.0.1').on('error', () => {})
    onTestFinished(() => {
      hanging.destroy()
    })
    hanging.write('POST /v1/publish HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{')
    await new Api(server.http).info()
    terminate(server)
    await eventually(() => expect(server.log).toContain('a second signal ends at once'))
    expect(server.isRunning).toBe(true)
    const secondAt = performance.now()
    process.kill(server.pid, 'SIGINT')
    await ended(server)
    expect(performance.now() - secondAt).toBeLessThan(5000)
    expect(await server.stop()).toBe(130)
  })
})
