/**
 * The floor of a node of the cluster: the same processes, connections and commands of the broker, and the same bytes to and from clients,
 * with nothing else: no sessions, rules, limits or checks, no history, no order to be seen to. It takes publications by WebSocket, in
 * batches over HTTP/2, or makes them itself; runs the commands that a node was seen to send, which are its first line of standard
 * input; acknowledges; and writes what it hears to its subscribers, ready-made, each once a turn. Every further line is a load, which it
 * answers with a line. Arguments: name and address of the broker.
 */
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { BareBroker } from '../cluster/bare-broker.js'
import { channelName } from '../cluster/channel-name.js'
import { openBareBroker } from '../cluster/open-bare-broker.js'
import { type Load, publishInWindow } from '../cluster/window.js'
import { acceptance, FrameReader, textFrame } from './bare-websocket.js'

interface FromClient {
  readonly type: 'connect' | 'publish'
  readonly id?: number
  readonly channel?: string
  readonly data?: string
  readonly subscriptions?: readonly { readonly channel: string }[]
}

interface Batch {
  readonly commands: readonly { readonly publish: { readonly channel: string; readonly data: string } }[]
}

const [name = '', url = ''] = process.argv.slice(2)
let broker: BareBroker | undefined

/** `bench:7` is 7. */
const channelOf = (channel = ''): number => Number(channel.slice(channel.indexOf(':') + 1))

const publish = (channel: string | undefined, data: string | undefined): Promise<unknown> =>
  broker?.publish(channelOf(channel), data) ?? Promise.reject(new Error('there is no broker yet'))

/** What is written in one turn, by socket. Another Map for each: V8 would keep alive what has been in one that goes on. */
let leaving = new Map<Socket, Buffer[]>()

const flush = (): void => {
  for (const [socket, frames] of leaving) socket.write(Buffer.concat(frames))
  leaving = new Map()
}

const send = (socket: Socket, frame: Buffer): void => {
  if (leaving.size === 0) setImmediate(flush)
  const frames = leaving.get(socket)
  if (frames) frames.push(frame)
  else leaving.set(socket, [frame])
}

const sendText = (socket: Socket, text: string): void => send(socket, textFrame(Buffer.from(text)))

const subscribers = new Set<Socket>()

const hear = (channel: number, data: string): void => {
  const frame = textFrame(Buffer.from(`{"type":"publication","channel":"${channelName(channel)}","data":"${data}"}`))
  for (const socket of subscribers) send(socket, frame)
}

const receive = (socket: Socket, message: FromClient): void => {
  if (message.type === 'publish') {
    void publish(message.channel, message.data).then(() => sendText(socket, `{"type":"result","id":${message.id}}`))
    return
  }
  sendText(socket, '{"type":"connected"}')
  for (const { channel } of message.subscriptions ?? []) {
    subscribers.add(socket)
    sendText(socket, `{"type":"subscribed","channel":"${channel}"}`)
  }
}

const answer = async (stream: ServerHttp2Stream): Promise<void> => {
  let text = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream) text += chunk
  const { commands } = JSON.parse(text) as Batch
  await Promise.all(commands.map((command) => publish(command.publish.channel, command.publish.data)))
  stream.respond({ ':status': 200, 'content-type': 'application/json' })
  stream.end(`{"results":[${commands.map(() => '{"result":{}}').join(',')}]}`)
}

const http2 = createHttp2Server().on('stream', (stream: ServerHttp2Stream) => void answer(stream).catch(() => stream.close()))

/** The first bytes of a connection: those of HTTP/2 (RFC 9113 section 3.4), or the handshake of a WebSocket. */
const begin = (socket: Socket, first: Buffer): void => {
  if (first.toString('latin1').startsWith('PRI * HTTP/2.0')) {
    socket.pause()
    socket.unshift(first)
    http2.emit('connection', socket)
    return
  }
  const key = /^sec-websocket-key: *(\S+)/imu.exec(first.toString('latin1'))?.[1]
  socket.write(acceptance(key))
  const reader = new FrameReader((payload) => receive(socket, JSON.parse(payload.toString()) as FromClient))
  socket.on('data', (chunk: Buffer) => reader.push(chunk))
}

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy()).on('close', () => subscribers.delete(socket))
  socket.once('data', (first: Buffer) => begin(socket, first))
})

for await (const line of createInterface({ input: process.stdin }))
  if (broker) {
    const sent = await publishInWindow((channel, data) => publish(channelName(channel), data), JSON.parse(line) as Load)
    console.log(`sent=${JSON.stringify(sent)}`)
  } else {
    broker = await openBareBroker(name, url, JSON.parse(line), hear)
    server.listen(0, '127.0.0.1', () => console.log(`port=${(server.address() as { port: number }).port}`))
  }
