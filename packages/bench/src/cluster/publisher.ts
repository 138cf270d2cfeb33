import { clientFrame } from '../load/client-frame.ts'
import { DIALECTS } from '../load/dialect.ts'
import { Http2Connection } from '../load/http2-connection.ts'
import type { Address } from '../load/open-socket.ts'
import { Places } from '../load/places.ts'
import { openWebSocket } from '../load/web-socket-client.ts'
import { channelName } from './channel-name.ts'
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

const ANSWER = /\{"type":"(result|error)","id":(\d+)[,}]/gu

/** One session on a WebSocket, which does not wait for one answer before it sends the next. What one turn sends leaves in one write. */
export const openWebSocketPublisher = async (address: Address): Promise<Publisher> => {
  const waiting = new Places<Waiting>()
  let rest = ''
  /** Finds whose answers have come, and decodes nothing else: the publisher is to cost less than what it measures. */
  const hear = (chunk: Buffer): void => {
    const text = rest + chunk.toString('latin1')
    let end = 0
    for (const answer of text.matchAll(ANSWER)) {
      end = answer.index + answer[0].length
      const waits = waiting.take(Number(answer[2]))
      if (answer[1] === 'result') waits?.resolve()
      else waits?.reject(new Error(text.slice(answer.index, answer.index + 200)))
    }
    rest = text.slice(end)
  }
  const client = await openWebSocket(address, { dialect: DIALECTS.fusewire }, (_, chunk) => hear(chunk))
  for (const frame of DIALECTS.fusewire.introduce) client.write(frame)
  let leaving: Buffer[] = []
  const flush = (): void => {
    client.write(Buffer.concat(leaving))
    leaving = []
  }
  const publish = (channel: number, data: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const id = waiting.add({ resolve, reject })
      const frame = clientFrame(`{"type":"publish","id":${id},"channel":"${channelName(channel)}","data":"${data}"}`)
      if (leaving.push(frame) === 1) process.nextTick(flush)
    })
  return {
    run: (load) => publishInWindow(publish, load),
    close: async () => client.destroy(),
  }
}

interface Batched extends Waiting {
  readonly command: string
}

/** Batches of the HTTP API over one HTTP/2 connection: what is to be published while others are under way goes into the next. */
export const openHttpPublisher = async (address: Address, batchSize: number): Promise<Publisher> => {
  const connection = await Http2Connection.open(address)
  const underWay = new Places<readonly Batched[]>()
  const fail = (commands: readonly Batched[], reason: string): void => {
    for (const { reject } of commands) reject(new Error(reason))
  }
  connection.socket.once('close', () => {
    for (const commands of underWay.takeAll()) fail(commands, 'the connection has ended')
  })
  const headers = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': '/v1/batch',
    ':authority': 'localhost',
    'content-type': 'application/json',
  }
  const post = (commands: readonly Batched[]): void => {
    const place = underWay.add(commands)
    let [isOk, text] = [false, '']
    const onEnd = (): void => {
      underWay.take(place)
      if (!isOk || text.includes('"error"')) fail(commands, text.slice(0, 200))
      else for (const { resolve } of commands) resolve()
    }
    const events = {
      onHeaders: (ok: boolean): void => {
        isOk = ok
      },
      onData: (chunk: Buffer): void => {
        text += chunk.toString('latin1')
      },
      onEnd,
    }
    connection.request(headers, events, Buffer.from(`{"commands":[${commands.map(({ command }) => command).join(',')}]}`))
  }
  let batch: Batched[] = []
  const flush = (): void => {
    if (batch.length > 0) post(batch)
    batch = []
  }
  const publish = (channel: number, data: string): Promise<void> =>
    new Promise((resolve, reject) => {
      if (batch.length === 0) setImmediate(flush)
      batch.push({ command: `{"publish":{"channel":"${channelName(channel)}","data":"${data}"}}`, resolve, reject })
      if (batch.length >= batchSize) flush()
    })
  return {
    run: (load) => publishInWindow(publish, load),
    close: async () => void connection.socket.destroy(),
  }
}
