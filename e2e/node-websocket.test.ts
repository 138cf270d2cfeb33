import { eventually } from '@fusewire/testkit'
import { decodeMulti, encode } from '@msgpack/msgpack'
import { describe, expect, onTestFinished } from 'vitest'
import { serverTest } from './server-test.ts'
import { DEVELOPMENT } from './server-variants.ts'

const it = serverTest(DEVELOPMENT)

describe.each(['https', 'http'] as const)("Node's own WebSocket over %s", (scheme) => {
  const open = (base: string, path: string, protocols: string[] = []) => {
    const socket = new WebSocket(base.replace('http', 'ws') + path, protocols)
    socket.binaryType = 'arraybuffer'
    const messages: (string | ArrayBuffer)[] = []
    socket.onmessage = ({ data }) => messages.push(data)
    onTestFinished(() => socket.close())
    return { socket, messages }
  }

  it('speaks JSON without a subprotocol', async ({ server, api }) => {
    const { socket, messages } = open(server[scheme], '/ws')
    socket.onopen = () => socket.send(`{"type":"connect","subscriptions":[{"channel":"node:${scheme}"}]}`)
    await eventually(() => expect(messages.join('\n')).toContain('"subscribed"'))
    await api.publish(`node:${scheme}`, 'hello')
    await eventually(() => expect(messages.join('\n')).toContain('"data":"hello"'))
    expect(socket.protocol).toBe('')
  })

  it('speaks MessagePack by subprotocol', async ({ server, api }) => {
    const { socket, messages } = open(server[scheme], '/fusewire/v1/ws', ['fusewire.v1.msgpack', 'fusewire.v1.json'])
    const received = () => messages.flatMap((data) => [...decodeMulti(new Uint8Array(data as ArrayBuffer))])
    const channel = `node:msgpack:${scheme}`
    socket.onopen = () => socket.send(encode({ type: 'connect', subscriptions: [{ channel }] }))
    await eventually(() => expect(received()).toMatchObject([{ type: 'connected' }, { type: 'subscribed' }]))
    expect(socket.protocol).toBe('fusewire.v1.msgpack')
    socket.send(encode({ type: 'publish', channel, data: { bytes: Uint8Array.of(1, 2, 3), text: 'é' } }))
    await eventually(() => expect(received().at(-1)).toMatchObject({ data: { bytes: Uint8Array.of(1, 2, 3), text: 'é' } }))
    // Bytes are Base64 to those who speak JSON [P10].
    expect((await api.history(channel)).publications[0]?.data).toEqual({ bytes: 'AQID', text: 'é' })
  })

  it('hears its echo', async ({ server }) => {
    const { socket, messages } = open(server[scheme], '/fusewire/v1/echo', ['anything'])
    socket.onopen = () => socket.send('hello')
    await eventually(() => expect(messages).toEqual(['hello']))
  })
})
