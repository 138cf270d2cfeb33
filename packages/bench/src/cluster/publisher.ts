import { type ClientHttp2Session, connect } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { WebSocket } from 'ws'
import { channelName } from './channel-name.ts'
import type { NodeAddress } from './node-address.ts'
import { type Load, publishInWindow, type Sent } from './window.ts'

/** Something that publishes to one node, in one of the ways that users have. */
export interface Publisher {
  run(load: Load): Promise<Sent>
  close(): Promise<void>
}

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** One session on a WebSocket, which does not wait for one answer before it sends the next. */
export const openWebSocketPublisher = async ({ host, port, path }: NodeAddress): Promise<Publisher> => {
  const connection = connectTcp({ host, port, noDelay: true })
  const options = { perMessageDeflate: false, createConnection: () => connection }
  const socket = new WebSocket(`ws://${host}:${port}${path}`, options)
  let isCorked = false
  /** Writes what one turn sends at once: the publisher is to cost less than what it measures. */
  const cork = (): void => {
    if (isCorked) return
    isCorked = true
    connection.cork()
    process.nextTick(() => {
      isCorked = false
      connection.uncork()
    })
  }
  const waiting = new Map<number, Waiting>()
  let lastId = 0
  const connected = new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.once('open', () => socket.send('{"type":"connect"}'))
    socket.on('message', (data) => {
      for (const line of String(data).split('\n')) {
        const message = JSON.parse(line) as { type: string; id?: number; code?: string }
        if (message.type === 'connected') resolve()
        const waits = waiting.get(message.id ?? 0)
        waiting.delete(message.id ?? 0)
        if (message.type === 'result') waits?.resolve()
        else waits?.reject(new Error(message.code))
      }
    })
  })
  await connected
  const publish = (channel: number, data: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const id = ++lastId
      waiting.set(id, { resolve, reject })
      cork()
      socket.send(JSON.stringify({ type: 'publish', id, channel: channelName(channel), data }))
    })
  return {
    run: (load) => publishInWindow(publish, load),
    close: async () => socket.terminate(),
  }
}

interface Batched extends Waiting {
  readonly command: object
}

const post = (session: ClientHttp2Session, path: string, body: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/json' })
    let [status, text] = [0, '']
    stream.setEncoding('utf8')
    stream.on('response', (headers) => {
      status = Number(headers[':status'])
    })
    stream.on('data', (chunk: string) => {
      text += chunk
    })
    stream.on('error', reject)
    stream.on('end', () => (status === 200 ? resolve(text) : reject(new Error(`${status} ${text}`))))
    stream.end(body)
  })

/** Batches of the HTTP API over one HTTP/2 connection: what is to be published while others are under way goes into the next. */
export const openHttpPublisher = async ({ host, port }: NodeAddress, batchSize: number): Promise<Publisher> => {
  const session = connect(`http://${host}:${port}`)
  session.on('error', () => {})
  let batch: Batched[] = []
  const flush = (): void => {
    const commands = batch
    batch = []
    if (commands.length === 0) return
    post(session, '/v1/batch', JSON.stringify({ commands: commands.map(({ command }) => command) })).then(
      (text) => {
        const { results } = JSON.parse(text) as { results: { result?: object; error?: { code: string } }[] }
        for (const [index, { resolve, reject }] of commands.entries()) {
          const { error } = results[index] ?? {}
          if (error) reject(new Error(error.code))
          else resolve()
        }
      },
      (error: Error) => {
        for (const { reject } of commands) reject(error)
      },
    )
  }
  const publish = (channel: number, data: string): Promise<void> =>
    new Promise((resolve, reject) => {
      if (batch.length === 0) setImmediate(flush)
      batch.push({ command: { publish: { channel: channelName(channel), data } }, resolve, reject })
      if (batch.length >= batchSize) flush()
    })
  return {
    run: (load) => publishInWindow(publish, load),
    close: async () => session.destroy(),
  }
}
