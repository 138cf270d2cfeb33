import { Http1Connection } from './http1-connection.ts'
import { LineCounter } from './line-counter.ts'
import { type Address, openSocket, type SocketOptions } from './open-socket.ts'
import type { LoadClient, OnMessages } from './web-socket-client.ts'

/** Fusewire's ways in that are no WebSocket, each on a connection of its own: messages are lines. */
export type LineWay = 'tcp' | 'stream' | 'sse' | 'poll'

const connectLine = (channels: readonly string[]): string =>
  `${JSON.stringify({ type: 'connect', subscriptions: channels.map((channel) => ({ channel })) })}\n`

/** Messages that come before the first publication: `connected`, and for split connections `open` before it (T1 of the protocol). */
export const lineGreetings = (way: LineWay, channels: number): number => (way === 'stream' || way === 'poll' ? 2 : 1) + channels

/** What a client sends at first, and then nothing more. */
const FIRST_BYTES: Readonly<Record<Exclude<LineWay, 'poll'>, (channels: readonly string[]) => string>> = {
  tcp: connectLine,
  stream: (channels) => {
    const line = connectLine(channels)
    const headers = `Host: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${Buffer.byteLength(line)}`
    return `POST /fusewire/v1/stream HTTP/1.1\r\n${headers}\r\n\r\n${line}`
  },
  sse: (channels) => {
    const query = channels.map((channel) => `channel=${encodeURIComponent(channel)}`).join('&')
    return `GET /fusewire/v1/sse?${query} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`
  },
}

/** Connects and subscribes, and counts what comes. */
export const openLineClient = async (
  way: LineWay,
  address: Address,
  channels: readonly string[],
  onMessages: OnMessages,
  options: SocketOptions,
): Promise<LoadClient> => {
  const counter = new LineCounter()
  const receive = (chunk: Buffer): void => onMessages(counter.push(chunk), chunk)
  if (way === 'poll') {
    const connection = await Http1Connection.open(address, options)
    poll(connection, connectLine(channels), receive).catch(() => {})
    return { write: () => {}, destroy: () => connection.destroy() }
  }
  const socket = await openSocket(address, { ...options, onBytes: receive })
  socket.on('error', () => socket.destroy())
  socket.write(FIRST_BYTES[way](channels))
  return { write: () => {}, destroy: () => void socket.destroy() }
}

/** There is always one poll that waits, until the connection is destroyed: then the last has no answer, and this rejects. */
const poll = async (connection: Http1Connection, first: string, receive: (body: Buffer) => void): Promise<void> => {
  let [path, body] = ['/fusewire/v1/poll', Buffer.from(first)]
  for (;;) {
    const answer = await connection.ask(path, body)
    receive(answer.body)
    const [, secret] = /"connection":"([^"]+)"/u.exec(answer.body.toString('latin1')) ?? []
    if (secret !== undefined) path = `/fusewire/v1/poll?connection=${secret}`
    // The server has ended it, or has not taken it at all.
    else if (answer.status !== 200) return
    body = Buffer.alloc(0)
  }
}
