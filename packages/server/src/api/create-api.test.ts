import { request as h1Request } from 'node:http'
import { constants } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { HttpHandler } from './create-api.ts'
import { KEY, TestApi, VERSIONS } from './testing/start-api.ts'

let test: TestApi
afterEach(() => test.close())

const hello: HttpHandler = (request, response) => {
  response.setHeader('content-type', 'text/plain')
  response.end(`hello ${request.method} ${request.url}`)
}

describe.each(VERSIONS)('the request handler over %s', (version) => {
  it.each([
    '/',
    '/index.html',
    '/v10',
    '/v1x/publish',
    '/livezz',
    '/metrics.html',
    '/fusewired',
    '/assets/v1/publish',
    '/?v1',
    '/%76%31/info',
  ])('leaves %s to the embedding program, without a look at it', async (path) => {
    test = await TestApi.start({ fallback: hello })
    expect((await test.send(version, 'GET', path)).text).toBe(`hello GET ${path}`)
    expect((await test.send(version, 'POST', path, { body: '{' })).text).toBe(`hello POST ${path}`)
  })

  it.each(['/v1', '/v1/', '/v1/nothing', '/v1?x', '/livez/x', '/readyz/', '/metrics/x', '/fusewire/v1/unknown', '/fusewire'])(
    'keeps %s also when there is a program behind',
    async (path) => {
      test = await TestApi.start({ fallback: hello })
      expect((await test.send(version, 'GET', path)).json).toMatchObject({ error: { code: 'not_found' } })
    },
  )

  it('serves many requests at once, each with its own answer', async () => {
    test = await TestApi.start()
    test.application.handlers.slow = async (data) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
      return data
    }
    const calls = Array.from({ length: 500 }, (_, n) =>
      test.send(version, 'POST', '/v1/rpc', { body: { method: 'slow', data: n } }),
    )
    const answers = await Promise.all(calls)
    expect(answers.map(({ json }) => json)).toEqual(answers.map((_, data) => ({ data })))
  })

  it('finishes what is under way when it closes, and refuses what comes then', async () => {
    test = await TestApi.start()
    let finish = (_result: string) => {}
    const started = new Promise<void>((resolve) => {
      test.application.handlers.wait = () => {
        resolve()
        return new Promise<string>((resolve) => {
          finish = resolve
        })
      }
    })
    const waiting = test.send(version, 'POST', '/v1/rpc', { body: { method: 'wait' } })
    await started
    await Promise.all([test.api.close(), test.api.close()])
    const late = await test.send(version, 'GET', '/v1/info')
    expect([late.status, late.headers['retry-after'], late.json]).toEqual([
      503,
      '1',
      { error: { code: 'server_draining', message: expect.any(String), retryable: true } },
    ])
    finish('done')
    expect((await waiting).json).toEqual({ data: 'done' })
  })

  it('goes on with other requests after uploads that are too large or cut off', async () => {
    test = await TestApi.start()
    const large = { body: Buffer.alloc(3_000_000, 'x'), headers: { 'content-type': 'application/json' } }
    for (let n = 0; n < 5; n++) expect((await test.send(version, 'POST', '/v1/publish', large)).status).toBe(413)
    await cutUpload(version)
    expect((await test.send(version, 'GET', '/v1/info')).status).toBe(200)
    expect(test.application.calls).toEqual([])
    expect(test.log).toEqual([])
  })
})

/** Sends half of a body, and is gone. Resolves when the server has seen the end. */
const cutUpload = (version: (typeof VERSIONS)[number]): Promise<void> =>
  new Promise((gone) => {
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'content-length': '100' }
    if (version === 'HTTP/2') {
      const upload = test.session.request({ ':method': 'POST', ':path': '/v1/publish', ...headers })
      upload.on('error', () => {})
      upload.write('{"channel"')
      test.h2.once('stream', (stream) => {
        stream.once('close', gone)
        stream.once('data', () => upload.close(constants.NGHTTP2_CANCEL))
      })
    } else {
      const upload = h1Request({ port: test.ports.h1, host: '127.0.0.1', method: 'POST', path: '/v1/publish', headers })
      upload.on('error', () => {})
      upload.write('{"channel"')
      test.h1.once('request', (request) => {
        request.socket.once('close', gone)
        request.once('data', () => upload.destroy())
      })
    }
  })

describe('the request handler', () => {
  it('warns of nothing over HTTP/2, where answers have no connection headers', async () => {
    test = await TestApi.start()
    const warned = vi.fn()
    process.on('warning', warned)
    const large = { body: 'x'.repeat(5000), headers: { 'content-type': 'application/json' } }
    const answer = await test.send('HTTP/2', 'POST', '/v1/publish', large)
    await test.send('HTTP/2', 'POST', '/v1/publish', { body: '{' })
    await test.api.close()
    await test.send('HTTP/2', 'GET', '/v1/info')
    await new Promise(setImmediate)
    process.off('warning', warned)
    expect(answer.headers).not.toHaveProperty('connection')
    expect(warned).not.toHaveBeenCalled()
  })

  it('takes a request target in absolute form', async () => {
    test = await TestApi.start({ fallback: hello })
    const answers: string[] = []
    for (const target of [
      'http://localhost/livez',
      'HTTP://localhost:80/v1/nothing?x',
      'http://localhost',
      'http://localhost/other',
    ]) {
      const socket = connectTcp(test.ports.h1, '127.0.0.1')
      socket.end(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
      let text = ''
      for await (const chunk of socket) text += chunk
      answers.push(text.split('\r\n\r\n')[1] ?? '')
    }
    expect(answers).toEqual([
      '{"status":"ok"}',
      expect.stringContaining('"not_found"'),
      expect.stringContaining('hello GET http://localhost'),
      expect.stringContaining('hello GET http://localhost/other'),
    ])
  })
})
