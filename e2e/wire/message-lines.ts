import type { ServerMessage } from '@fusewire/protocol'

/** Reads newline-delimited messages from chunks of any size into a list. */
export class MessageLines {
  readonly #received: ServerMessage[]
  readonly #decoder = new TextDecoder()
  #rest = ''

  constructor(received: ServerMessage[]) {
    this.#received = received
  }

  push(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') this.#received.push(JSON.parse(line) as ServerMessage)
  }
}
