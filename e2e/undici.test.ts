import { eventually } from '@fusewire/testkit'
import { Agent, WebSocket } from 'undici'
import { describe, expect, onTestFinished } from 'vitest'
import { serverTest } from './server-test.ts'
import { DEVELOPMENT } from './server-variants.ts'

const it = serverTest(DEVELOPMENT)

describe.each([
  { version: 'HTTP/2', allowH2: true, transport: 'websocket-h2' },
  { version: 'HTTP/1.1', allowH2: false, transport: 'websocket' },
] as const)("undici's WebSocket over $version", ({ version, allowH2, transport }) => {
  const open = (url: string, protocols: string[] = []) => {
    const dispatcher = new Agent({ allowH2 })
    const socket = new WebSocket(url, { protocols, dispatcher })
    const messages: unknown[] = []
    const closes: { code: number; reason: string }[] = []
    socket.onmessage = ({ data }) => messages.push(data)
    socket.onclose = ({ code, reason }) => closes.push({ code, reason })
    onTestFinished(async () => {
      socket.close()
      await dispatcher.destroy()
    })
    return { socket, messages, closes }
  }
  const wss = (https: string) => https.replace('https', 'wss')

  it('subscribes, publishes and closes', async ({ server, api }) => {
    const opened = () => api.metric('fusewire_connections_opened_total', { transport })
    const before = await opened()
    const { socket, messages, closes } = open(`${wss(server.https)}/fusewire/v1/ws`, ['fusewire.v1.json'])
    socket.onopen = () => socket.send(`{"type":"connect","subscriptions":[{"channel":"undici:${transport}"}]}`)
    await eventually(() => expect(messages.join('\n')).toContain('"subscribed"'))
    expect(await opened()).toBe(before + 1)
    expect(socket.protocol).toBe('fusewire.v1.json')
    const large = 'ž'.repeat(20_000)
    await api.publish(`undici:${transport}`, large)
    socket.send(`{"type":"publish","id":1,"channel":"undici:${transport}","data":"small"}`)
    await eventually(() => expect(messages.join('\n')).toContain('"result"'))
    const received = messages.flatMap((text) => String(text).split('\n')).map((line) => JSON.parse(line) as { data?: unknown })
    expect(received.slice(2).map(({ data }) => data)).toEqual([large, 'small', expect.anything()])
    socket.close(1000, 'done')
    await eventually(() => expect(closes).toEqual([{ code: 1000, reason: expect.any(String) }]))
  })

  it('is told why the server closes', async ({ server }) => {
    const { socket, messages, closes } = open(`${wss(server.https)}/ws`)
    socket.onopen = () => socket.send('{"type":"connect","token":"forged"}')
    await eventually(() => expect(closes).toEqual([{ code: 4101, reason: expect.stringMatching(/./u) }]))
    expect(messages.join('\n')).toContain('"code":"token_invalid"')
  })

  it('hears its echo, as text and as bytes', async ({ server }) => {
    const { socket, messages } = open(`${wss(server.https)}/fusewire/v1/echo`)
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => {
      socket.send(`hello over ${version}`)
      socket.send(Uint8Array.of(1, 2, 3))
    }
    await eventually(() => expect(messages).toHaveLength(2))
    expect(messages[0]).toBe(`hello over ${version}`)
    expect([...new Uint8Array(messages[1] as ArrayBuffer)]).toEqual([1, 2, 3])
  })
})
