import type { Server } from './compose-server.ts'
import type { Drain } from './draining/drain.ts'
import type { Listening } from './listening.ts'

type State =
  | { readonly kind: 'idle' }
  /** Has a port, will have one, or had one: its {@link Drain} knows. */
  | { readonly kind: 'opened'; readonly server: Promise<Server> }
  /** Was closed before it had one. */
  | { readonly kind: 'closed' }

/** A server that is opened once at most, and ends once, whether it ever had a port or not. */
export class ServerLife {
  /** Settles when the server has ended, or could not be opened. */
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

  /** @throws Error the second time, and once it has ended; or what `compose` rejects with. */
  async open(compose: () => Promise<Server>): Promise<Listening> {
    if (this.#state.kind !== 'idle') throw new Error('listen() may be called once')
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
    if (this.#state.kind !== 'opened') return
    const { drain, reloadCertificates } = await this.#state.server
    if (drain.state !== 'closed') await reloadCertificates()
  }

  /** Resolves at the end. Idempotent. */
  async leave(how: (drain: Drain) => Promise<void>): Promise<void> {
    if (this.#state.kind === 'opened') {
      // One that could not be opened has closed what it had.
      const server = await this.#state.server.catch(() => undefined)
      if (server) await how(server.drain)
      return
    }
    this.#state = { kind: 'closed' }
    await this.#closeUnopened()
    this.#end()
  }
}
