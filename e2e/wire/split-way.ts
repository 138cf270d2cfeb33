import { PATHS, type ServerMessage } from '@fusewire/protocol'
import { eventually } from '@fusewire/testkit'
import { Agent, request } from 'undici'
import { MessageLines } from './message-lines.ts'
import { MessageEvents } from './server-sent-events.ts'
import type { End, Way, WireClient } from './way.ts'

export type HttpVersion = 'HTTP/1.1' | 'HTTP/2'

const NDJSON = { 'content-type': 'application/x-ndjson' }

/** Streaming, SSE and polling: messages come down in responses, and go up in numbered requests. */
class SplitClient implements WireClient {
  readonly #base: string
  readonly #agent: Agent
  readonly received: ServerMessage[] = []
  readonly #reader: MessageEvents | MessageLines
  #seq = 0
  end: End | undefined

  constructor(base: string, version: HttpVersion, isSse: boolean) {
    this.#base = base
    this.#reader = isSse ? new MessageEvents(this.received) : new MessageLines(this.received)
    // Without pipelining a request waits for the one before, and a poll would hold up what is sent.
    this.#agent = new Agent({ allowH2: version === 'HTTP/2' })
  }

  /** The secret of the connection. */
  get connection(): string | undefined {
    const [first] = this.received
    return first?.type === 'open' ? first.connection : undefined
  }

  /** Makes a request whose answer is a part of what the server says; resolves at its end. */
  async hear(method: 'GET' | 'POST', path: string): Promise<void> {
    const response = await request(this.#base + path, {
      method,
      dispatcher: this.#agent,
      ...(method === 'POST' && { headers: NDJSON }),
    })
    if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode} ${await response.body.text()}`)
    for await (const chunk of response.body) this.#reader.push(chunk as Uint8Array)
  }

  send(...messages: object[]): void {
    const lost = (): void => {
      this.end ??= {}
    }
    this.sendPayload(messages.map((message) => JSON.stringify(message)).join('\n')).catch(lost)
  }

  async sendPayload(payload: string | Uint8Array): Promise<number> {
    const seq = ++this.#seq
    const path = `${PATHS.send}?connection=${encodeURIComponent(this.connection ?? '')}&seq=${seq}`
    const body = Buffer.from(payload as string)
    const response = await request(this.#base + path, { method: 'POST', dispatcher: this.#agent, headers: NDJSON, body })
    await response.body.dump()
    // A request that was refused has not used its number.
    if (response.statusCode !== 202 && seq === this.#seq) this.#seq--
    return response.statusCode
  }

  destroy(): void {
    void this.#agent.destroy()
  }
}

export const splitWay = (transport: 'sse' | 'stream' | 'poll', version: HttpVersion): Way => ({
  name: `${transport} over ${version}`,
  encoding: 'json',
  framing: 'requests',
  open: async ({ https }) => {
    const client = new SplitClient(https, version, transport === 'sse')
    const ended = (): void => {
      client.end = {}
    }
    const poll = async (): Promise<never> => {
      await client.hear('POST', PATHS.poll)
      for (;;) await client.hear('POST', `${PATHS.poll}?connection=${encodeURIComponent(client.connection ?? '')}`)
    }
    const run = transport === 'poll' ? poll() : client.hear(transport === 'sse' ? 'GET' : 'POST', PATHS[transport])
    run.then(ended, ended)
    try {
      await eventually(() => client.connection !== undefined)
    } catch (error) {
      client.destroy()
      throw error
    }
    return client
  },
})
