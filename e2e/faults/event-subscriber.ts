import { setTimeout as delay } from 'node:timers/promises'
import { PATHS } from '@fusewire/protocol'
import type { Random } from '@fusewire/testkit'
import { Agent, request } from 'undici'
import { readEvents, type ServerSentEvent } from '../wire/server-sent-events.ts'
import { BACKOFF_MS, PATIENCE_MS } from './patience.ts'
import type { Stream } from './stream.ts'
import { countComing, countSession, noComings, type Subscriber } from './subscriber.ts'
import type { Place, Told } from './told.ts'

interface SubscribedData {
  readonly channel: string
  readonly position: Place
  readonly recovered?: boolean
  readonly document?: unknown
}

interface PublicationData {
  readonly channel: string
  readonly offset: number
  readonly data: unknown
  readonly patch?: boolean
}

/** What a browser's EventSource does, by hand: one-way SSE, taken up again by `Last-Event-ID` alone. */
export class EventSubscriber implements Subscriber {
  readonly told = new Map<Stream, Told[]>()
  readonly comings = noComings()
  readonly sessions: string[] = []
  readonly problems: string[] = []
  readonly #url: string
  readonly #allowH2: boolean
  readonly #random: Random
  readonly #byName = new Map<string, Stream>()
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  #lastEventId: string | undefined
  /** A channel could not be subscribed to now: it comes anew, with all of them. */
  #isRefused = false

  constructor(base: string, version: 'HTTP/1.1' | 'HTTP/2', streams: readonly Stream[], random: Random) {
    this.#url = `${base}${PATHS.sse}?${new URLSearchParams(streams.map(({ name }) => ['channel', name]))}`
    this.#allowH2 = version === 'HTTP/2'
    this.#random = random
    for (const stream of streams) {
      this.told.set(stream, [])
      this.#byName.set(stream.name, stream)
    }
    this.#running = this.#run()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const line = new AbortController()
      // A pool would keep an HTTP/2 connection that is dead.
      const agent = new Agent({ allowH2: this.#allowH2 })
      await this.#follow(line, agent).catch(() => undefined)
      line.abort()
      await agent.destroy()
      await delay(this.#random.integer(0, BACKOFF_MS))
    }
  }

  /** Rejects when the line is lost. */
  async #follow(line: AbortController, agent: Agent): Promise<void> {
    this.#isRefused = false
    const signal = AbortSignal.any([line.signal, this.#stop.signal])
    // Something is published all the time: silence is a dead line.
    let silence = setTimeout(() => line.abort(), PATIENCE_MS)
    signal.addEventListener('abort', () => clearTimeout(silence))
    const id = this.#lastEventId
    const headers = id === undefined ? {} : { 'last-event-id': id }
    const { statusCode, body } = await request(this.#url, { dispatcher: agent, headers, signal })
    if (statusCode !== 200) {
      this.problems.push(`SSE is answered with ${statusCode} ${await body.text()}`)
      return
    }
    const decoder = new TextDecoder()
    let text = ''
    for await (const chunk of body) {
      clearTimeout(silence)
      silence = setTimeout(() => line.abort(), PATIENCE_MS)
      text += decoder.decode(chunk as Uint8Array, { stream: true })
      const end = text.lastIndexOf('\n\n') + 2
      if (end < 2) continue
      for (const event of readEvents(text.slice(0, end))) this.#take(event)
      text = text.slice(end)
      if (this.#isRefused) return
    }
  }

  #take({ event, id, data }: ServerSentEvent): void {
    if (event === 'connected') {
      countComing(this.comings, false)
      countSession(this.sessions, (data as { session: string }).session)
    } else if (event === 'subscribed') {
      const { channel, position, recovered, document } = data as SubscribedData
      const wasRecovering = recovered !== undefined
      this.#tell(channel, { kind: 'subscribed', position, wasRecovering, recovered: recovered === true, document })
    } else if (event === 'message') {
      const { channel, offset, data: published, patch } = data as PublicationData
      this.#tell(channel, { kind: 'publication', offset, data: published, patch })
    } else if (event === 'error' && (data as { retryable: boolean }).retryable) this.#isRefused = true
    else if (event === 'error' || event === 'unsubscribed') this.problems.push(`${event}: ${JSON.stringify(data)}`)
    if (id !== undefined) this.#lastEventId = id
  }

  #tell(channel: string, told: Told): void {
    const stream = this.#byName.get(channel)
    if (stream) this.told.get(stream)?.push(told)
    else this.problems.push(`told of ${channel}`)
  }
}
