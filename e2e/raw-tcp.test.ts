import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { ALPN } from '@fusewire/protocol'
import { eventually } from '@fusewire/testkit'
import { describe, type TestContext } from 'vitest'
import type { FusewireProcess } from './fusewire-process.ts'
import { serverTest } from './server-test.ts'
import { DEVELOPMENT } from './server-variants.ts'
import { openSocket } from './wire/open-websocket.ts'

const it = serverTest({ ...DEVELOPMENT, pingIntervalMs: 300, pongTimeoutMs: 1000 })

describe.each(['cleartext', 'TLS'] as const)('a device with a bare socket over %s', { concurrent: true }, (over) => {
  const open = async (
    { http, https }: FusewireProcess,
    onTestFinished: TestContext['onTestFinished'],
  ): Promise<{ socket: Socket; lines: () => string[] }> => {
    const socket = await openSocket(over === 'TLS' ? https : http, ALPN)
    onTestFinished(() => {
      socket.destroy()
    })
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    return { socket, lines: () => text.split('\n').slice(0, -1) }
  }

  it('finds the echo, however its line begins and ends', async ({ server, expect, onTestFinished }) => {
    const { socket, lines } = await open(server, onTestFinished)
    socket.write('{"type":"echo","data":1}\r\n\r\n\n  {"type":"ECHO","data":"ě"}\n{"type":"ping","id":5}\n')
    await eventually(() =>
      expect(lines().filter(Boolean)).toEqual([
        '{"type":"echo","data":1}',
        '{"type":"echo","data":"ě"}',
        '{"type":"pong","id":5}',
      ]),
    )
  })

  it('sends a line, ends its side, and still gets its answers: printf … | nc -N', async ({
    server,
    api,
    expect,
    onTestFinished,
  }) => {
    const { socket, lines } = await open(server, onTestFinished)
    const channel = `tcp:once:${over}`
    socket.end(`{"type":"connect"}\n{"type":"publish","id":1,"channel":"${channel}","data":"once"}`)
    await once(socket, 'close')
    expect(
      lines()
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { type: string }).type),
    ).toEqual(['connected', 'result'])
    expect((await api.history(channel)).publications).toMatchObject([{ data: 'once' }])
  })

  it('only listens, and is left alone: blank lines ask whether it is there [H3] [T5]', async ({
    server,
    api,
    expect,
    onTestFinished,
  }) => {
    const { socket, lines } = await open(server, onTestFinished)
    socket.write(`{"type":"connect","subscriptions":[{"channel":"tcp:listen:${over}"}]}\n`)
    await eventually(() => expect(lines().filter((line) => line === '').length).toBeGreaterThanOrEqual(2))
    await api.publish(`tcp:listen:${over}`, 'still here')
    await eventually(() => expect(lines().join('\n')).toContain('still here'))
  })

  it('sends a thousand lines in one write, and each is answered', async ({ server, expect, onTestFinished }) => {
    const { socket, lines } = await open(server, onTestFinished)
    const numbers = Array.from({ length: 1000 }, (_, n) => n + 1)
    socket.write(numbers.map((id) => `{"type":"ping","id":${id}}\n`).join(''))
    await eventually(() => expect(lines()).toEqual(numbers.map((id) => `{"type":"pong","id":${id}}`)))
  })
})

describe('the first byte in the clear', () => {
  it('tells raw TCP from HTTP on one port', async ({ server, expect, onTestFinished }) => {
    const answers = ['{"type":"ping"}\n', 'GET /livez HTTP/1.0\r\n\r\n'].map(async (says) => {
      const socket = connect({ host: '127.0.0.1', port: server.httpPort })
      onTestFinished(() => {
        socket.destroy()
      })
      socket.write(says)
      const [chunk] = await once(socket, 'data')
      return String(chunk)
    })
    expect(await Promise.all(answers)).toEqual(['{"type":"pong"}\n', expect.stringMatching(/^HTTP\/1\.1 200 OK\r\n/u)])
  })
})
