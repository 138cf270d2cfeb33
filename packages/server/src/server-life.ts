import type { Server } from './compose-server.ts'
import type { Drain } from './draining/drain.ts'
import type { Listening } from './listening.ts'

type State =
  | { readonly kind: 'idle' }
  /** Has a port, will have one, or had one: its {@link Drain} knows. */
  | { readonly kind: 'opened'; readonly server: Promise<Server> }
  /** Was closed before it had one. */
  | { readonly kind: 'closed' }

const NOT_TO_BE_OPENED = {
  opened: 'listen() may be called once',
  closed: 'a server that was closed before it listened cannot listen any more',
}

/** A server that is opened once at most, and ends once, whether it ever had a port or not. */
export class ServerLife {
  /** Settles when the server has ended, or could not be opened. Rejects with what could not be closed. */
  readonly ended: Promise<void>
  #end: (end?: Promise<void>) => void = () => {}
  #state: State = { kind: 'idle' }
  readonly #closeUnopened: () => Promise<void>

  /** `closeUnopened` closes what there is before a server is opened. */
  constructor(closeUnopened: () => Promise<void>) {
    this.#closeUnopened = closeUnopened
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
    // Whoever waits for it is told; that nobody does is no reason to end the process.
    this.ended.catch(() => {})
  }

  /** @throws Error once it has been opened or closed. */
  assertIdle(): void {
    const { kind } = this.#state
    if (kind !== 'idle') throw new Error(NOT_TO_BE_OPENED[kind])
  }

  /** @throws Error as {@link assertIdle} does; or what `compose` rejects with. */
  async open(compose: () => Promise<Server>): Promise<Listening> {
    this.assertIdle()
    const server = compose()
    this.#state = { kind: 'opened', server }
    const { listening, drain } = await server.catch((error: unknown) => {
      this.#end()
      throw error
    })
    this.#end(drain.done)
    return listening
  }

  /** Reads the certificate files again, where there is a port. */
  async reloadCertificates(): Promise<void> {
    const server = await this.#opened()
    if (server && server.drain.state !== 'closed') await server.reloadCertificates()
  }

  /** Resolves at the end. Rejects with what could not be closed, as {@link ended} does. Idempotent. */
  async leave(how: (drain: Drain) => Promise<void>): Promise<void> {
    if (this.#state.kind === 'idle') {
      this.#state = { kind: 'closed' }
      this.#end(this.#closeUnopened())
    }
    const server = await this.#opened()
    if (server) await how(server.drain)
    await this.ended
  }

  /** Undefined where none was opened, and for one that could not be: it has closed what it had, and its error is told to whoever opened it. */
  async #opened(): Promise<Server | undefined> {
    return this.#state.kind === 'opened' ? this.#state.server.catch(() => undefined) : undefined
  }
}
