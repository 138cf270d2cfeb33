import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { RenewingMap } from '@fusewire/engine'

interface Use {
  /** Responses that have not left yet. */
  answering: readonly ServerResponse[]
  /** `bytesRead` of the socket after its last answer; more by now is a request that has begun to come. */
  readBefore: number
  /** When it was opened; undefined once a request has come. */
  silentSince: number | undefined
}

const NONE: readonly ServerResponse[] = []

/** Whoever opens a connection to use it does so within this time. */
const SPARE_MS = 1000

/**
 * The connections of an HTTP/1.1 server, to be ended without taking an answer from anyone. Node's own `closeIdleConnections` takes a
 * response that has ended for one that has left, and destroys what of it still waits in the socket.
 *
 *     idle ──a request comes──▶ answering ──its response has left──▶ idle ──leave──▶ destroyed
 *                                   └──leave: connection: close, its response has left──▶ ended
 */
export class Http1Connections {
  readonly #uses = new RenewingMap<Socket, Use>()
  /** One function for all: a closure of each connection would take 300 bytes. */
  readonly #onClose: (this: Socket) => void
  #leaving = false

  constructor() {
    const uses = this.#uses
    this.#onClose = function () {
      uses.delete(this)
    }
  }

  add(socket: Socket): void {
    this.#uses.set(socket, { answering: NONE, readBefore: 0, silentSince: performance.now() })
    socket.on('close', this.#onClose)
  }

  /** It speaks something else from now on. */
  remove(socket: Socket): void {
    this.#uses.delete(socket)
    socket.off('close', this.#onClose)
  }

  /** Whether a request of it waits for its answer, or for the whole of it to leave. */
  isAnswering(socket: Socket): boolean {
    return (this.#uses.get(socket)?.answering.length ?? 0) > 0
  }

  /** A request has come, and this will be its answer. */
  answer(socket: Socket, response: ServerResponse): void {
    const use = this.#uses.get(socket)
    if (!use) return
    use.silentSince = undefined
    use.answering = [...use.answering, response]
    if (this.#leaving) response.setHeader('connection', 'close')
    response.once('close', () => {
      use.answering = use.answering.filter((other) => other !== response)
      use.readBefore = socket.bytesRead
      if (this.#leaving && use.answering.length === 0) socket.destroySoon()
    })
  }

  /** Ends those that clients keep in reserve, as browsers do: whoever is told to move would come back over them. */
  dropSpares(): void {
    const openedBefore = performance.now() - SPARE_MS
    for (const [socket, { silentSince }] of this.#uses)
      if (silentSince !== undefined && silentSince < openedBefore) socket.destroy()
  }

  /** Ends connections that are idle, and the others as they become so. Idempotent. */
  leave(): void {
    if (this.#leaving) return
    this.#leaving = true
    for (const [socket, { answering, readBefore, silentSince }] of this.#uses) {
      for (const response of answering) if (!response.headersSent) response.setHeader('connection', 'close')
      const isIdle = answering.length === 0 && socket.bytesRead === readBefore
      // What one that is silent has read is of TLS.
      if (isIdle || silentSince !== undefined) socket.destroy()
    }
  }
}
