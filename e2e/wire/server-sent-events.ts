import type { ServerMessage } from '@fusewire/protocol'

/** An event of a `text/event-stream` (WHATWG HTML section 9.2). */
export interface ServerSentEvent {
  readonly event: string
  readonly id: string | undefined
  readonly data: unknown
}

/** Reads the complete events of a stream, with JSON data; comments are passed over. */
export const readEvents = (stream: string): ServerSentEvent[] =>
  stream
    .replaceAll('\r\n', '\n')
    .split('\n\n')
    .slice(0, -1)
    .flatMap((block) => {
      const fields = block.split('\n').map((line) => /^([^:]*)(?:: ?(.*))?$/u.exec(line) ?? [])
      const values = (wanted: string) => fields.filter(([, name]) => name === wanted).map(([, , value = '']) => value)
      const data = values('data')
      if (data.length === 0) return []
      return [
        { event: values('event').at(-1) ?? 'message', id: values('id').at(-1), data: JSON.parse(data.join('\n')) as unknown },
      ]
    })

/** Reads messages, one event each, from chunks of any size into a list. */
export class MessageEvents {
  readonly #received: ServerMessage[]
  readonly #decoder = new TextDecoder()
  #rest = ''

  constructor(received: ServerMessage[]) {
    this.#received = received
  }

  push(chunk: Uint8Array): void {
    const text = this.#rest + this.#decoder.decode(chunk, { stream: true })
    const end = text.lastIndexOf('\n\n') + 2
    if (end < 2) {
      this.#rest = text
      return
    }
    this.#rest = text.slice(end)
    this.#received.push(...readEvents(text.slice(0, end)).map(({ data }) => data as ServerMessage))
  }
}
