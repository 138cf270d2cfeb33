import { once } from 'node:events'
import { eventually } from '@fusewire/testkit'
import { describe, type TestContext } from 'vitest'
import { WebSocket } from 'ws'
import { serverTest } from './server-test.ts'
import { DEVELOPMENT } from './server-variants.ts'

const it = serverTest({ ...DEVELOPMENT, pingIntervalMs: 300, pongTimeoutMs: 1000 })

/** What a page does that has no SDK and asks for nothing special: `new WebSocket(url)`. */
const open = async (url: string, onTestFinished: TestContext['onTestFinished']) => {
  const socket = new WebSocket(url)
  const messages: string[] = []
  const closes: number[] = []
  let pings = 0
  socket.on('message', (data, isBinary) => messages.push(isBinary ? 'binary' : data.toString()))
  socket.on('close', (code) => closes.push(code))
  socket.on('ping', () => {
    pings++
  })
  onTestFinished(() => socket.terminate())
  await once(socket, 'open')
  return { socket, messages, closes, pings: () => pings }
}

describe.each(['wss', 'ws'] as const)('a plain page over %s', { concurrent: true }, (scheme) => {
  const base = ({ https, http }: { https: string; http: string }) => (scheme === 'wss' ? https : http).replace('http', 'ws')

  it('sends {"type":"PING"} on its own heartbeat, before and after it connects, and is answered [H4]', async ({
    server,
    expect,
    onTestFinished,
  }) => {
    const { socket, messages } = await open(`${base(server)}/ws`, onTestFinished)
    socket.send('{"type":"PING"}')
    await eventually(() => expect(messages).toEqual(['{"type":"pong"}']))
    socket.send('{"type":"connect"}')
    socket.send('{"type":"Ping","id":3}')
    await eventually(() => expect(messages.at(-1)).toBe('{"type":"pong","id":3}'))
  })

  it('needs no heartbeat to be left alone: the server asks by ping frames [H3]', async ({
    server,
    api,
    expect,
    onTestFinished,
  }) => {
    const { socket, messages, closes, pings } = await open(`${base(server)}/fusewire/v1/ws`, onTestFinished)
    socket.send(`{"type":"connect","subscriptions":[{"channel":"plain:${scheme}"}]}`)
    await eventually(() => expect(pings()).toBeGreaterThanOrEqual(2))
    expect(closes).toEqual([])
    await api.publish(`plain:${scheme}`, 'still here')
    await eventually(() => expect(messages.join('\n')).toContain('still here'))
  })

  it('finds the echo', async ({ server, expect, onTestFinished }) => {
    const { socket, messages } = await open(`${base(server)}/fusewire/v1/echo`, onTestFinished)
    for (const text of ['hello', '', '{"type":"PING"}', 'ě'.repeat(10_000)]) socket.send(text)
    await eventually(() => expect(messages).toEqual(['hello', '', '{"type":"PING"}', 'ě'.repeat(10_000)]))
    socket.close(3456, 'bye')
    const [code] = await once(socket, 'close')
    expect(code).toBe(3456)
  })
})
