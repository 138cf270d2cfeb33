import { afterEach, describe, expect, it } from 'vitest'
import type { ListenerHandlers } from './listener-handlers.ts'
import { openTcp, openTls, readAll } from './testing/raw-client.ts'
import { type StartedListener, startListener } from './testing/start-listener.ts'

const running: StartedListener[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ listener }) => listener.close()))
})

/** A listener, and the paths of the handshakes that it hands over. */
const start = async (handlers: Partial<ListenerHandlers> = {}) => {
  const upgrades: (string | undefined)[] = []
  const started = await startListener({
    upgrade: ({ url }, socket) => {
      upgrades.push(url)
      socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
    },
    ...handlers,
  })
  running.push(started)
  return { ...started, upgrades }
}

const WAYS = ['in the clear', 'over TLS'] as const

/** What comes back for these bytes, until the server ends the connection. */
const answerTo = async ({ port, tlsPort }: StartedListener, way: (typeof WAYS)[number], bytes: string): Promise<string> => {
  const socket = way === 'over TLS' ? await openTls(tlsPort, ['http/1.1']) : await openTcp(port)
  const answer = readAll(socket)
  socket.write(bytes)
  return answer
}

const head = (...fields: readonly string[]): string =>
  ['GET /ws HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket', ...fields, '', ''].join('\r\n')

describe.each(WAYS)('a WebSocket handshake %s', (way) => {
  it.each([
    ['as it should be', head()],
    ['with a body of no bytes', head('Content-Length: 0')],
    ['behind an empty line', `\r\n${head()}`],
  ])('is handed over %s', async (_what, bytes) => {
    const started = await start()
    expect(await answerTo(started, way, bytes)).toContain('HTTP/1.1 101')
    expect(started.upgrades).toEqual(['/ws'])
  })

  it.each([
    ['without a host', head().replace('Host: a\r\n', '')],
    ['whose body has come', `${head('Content-Length: 2')}{}`],
    ['whose body has not come', head('Content-Length: 2')],
    ['whose body comes in chunks', `${head('Transfer-Encoding: chunked')}2\r\n{}\r\n`],
    ['whose body goes wrong', `${head('Transfer-Encoding: chunked')}nonsense\r\n`],
  ])('is refused once %s', async (_what, bytes) => {
    const started = await start()
    const answer = await answerTo(started, way, bytes)
    expect(answer).toContain('HTTP/1.1 400')
    expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1)
    expect(started.upgrades).toEqual([])
  })

  it('is told where WebSocket is turned off', async () => {
    const started = await startListener()
    running.push(started)
    const answer = await answerTo(started, way, head())
    expect(answer).toContain('HTTP/1.1 404')
    expect(answer).toContain('unsupported_transport')
  })

  it('is a plain request in HTTP/1.0', async () => {
    const started = await start()
    const answer = await answerTo(
      started,
      way,
      head().replace('HTTP/1.1', 'HTTP/1.0').replace('Upgrade\r\n', 'Upgrade, close\r\n'),
    )
    expect(answer).toContain('HTTP/1.0 GET 0')
    expect(started.upgrades).toEqual([])
  })

  it('does not come before the answer to an earlier request', async () => {
    const started = await start({ request: () => {} })
    expect(await answerTo(started, way, `GET / HTTP/1.1\r\nHost: a\r\n\r\n${head()}`)).toBe('')
    expect(started.upgrades).toEqual([])
  })
})

it('survives clients that reset while the body of their handshake is still to come', async () => {
  const started = await start()
  for (let time = 0; time < 30; time++) {
    const socket = await openTcp(started.port)
    socket.write(head('Content-Length: 2'), () => socket.resetAndDestroy())
  }
  expect(await answerTo(started, 'in the clear', head())).toContain('HTTP/1.1 101')
})
