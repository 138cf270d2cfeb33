import { Socket } from 'node:net'
import { FusewireError } from '@fusewire/protocol'
import { hubBackend } from '../brokers/hub/hub-backend.ts'
import { ConfigurationError } from '../config/configuration-error.ts'
import { workerCount } from '../config/worker-options.ts'
import { Fusewire } from '../fusewire.ts'
import type { Metrics } from '../metrics/create-metrics.ts'
import { TICKET_KEY_ROTATION_MS, TicketSecret } from '../tls/ticket-secret.ts'
import { VERSION } from '../version.ts'
import { CONTROL_FD, type FailedStart, HUB_FD, type ToPrimary, type ToWorker, type Welcome } from './control.ts'
import { ControlSocket } from './control-socket.ts'
import type { WorkerRole } from './worker-role.ts'
import { WorkersError } from './workers.ts'

/** How long the primary may take to gather the metrics of all workers: longer than it waits for one of them. */
const GATHER_TIMEOUT_MS = 3000

const inherited = (fd: number): Socket => {
  try {
    return new Socket({ fd, readable: true, writable: true })
  } catch (cause) {
    throw new WorkersError('A worker is started by "fusewire serve --workers", not by hand.', { cause })
  }
}

/** This process, as one of several workers of a server. */
export class Worker {
  readonly #control: ControlSocket<ToPrimary, ToWorker>
  readonly #welcome: Promise<Welcome>
  /** Resolves when the primary is gone. */
  readonly #cutOff: Promise<void>
  #fusewire: Fusewire | undefined
  #closeHub: (() => void) | undefined
  readonly #scrapes = new Map<number, (text: string) => void>()
  #lastScrape = 0
  #own: Metrics | undefined
  /** The primary has said how to leave, or is gone. */
  #leaving: 'drain' | 'close' | undefined

  /** @throws WorkersError when this process was not started by a primary. */
  constructor() {
    let welcome: (welcome: Welcome) => void = () => {}
    this.#welcome = new Promise((resolve) => {
      welcome = resolve
    })
    let cutOff = (): void => {}
    this.#cutOff = new Promise((resolve) => {
      cutOff = resolve
    })
    this.#control = new ControlSocket<ToPrimary, ToWorker>(
      inherited(CONTROL_FD),
      {
        welcome,
        drain: () => this.leave('drain'),
        close: () => this.leave('close'),
        reload: () => void this.#fusewire?.reloadCertificates(),
        ping: () => this.#control.tell('pong'),
        collect: (question) => void this.#collect(question),
        gathered: (question, text) => this.#scrapes.get(question)?.(text),
      },
      // Nobody keeps this worker company any more: it must not go on alone.
      () => {
        cutOff()
        this.leave('drain')
      },
    )
    this.#control.tell('hello', VERSION)
  }

  /** Serves until it has left; resolves then. What keeps it from beginning is told to the primary. */
  async run(): Promise<void> {
    const { worker, options, hasHub, ticketSeed } = await this.#welcome
    const role: WorkerRole = {
      worker,
      workers: workerCount(options),
      ticketSecret: new TicketSecret(TICKET_KEY_ROTATION_MS, Date.now(), ticketSeed),
      drainAll: () => this.#control.tell('drain'),
      gather: (own) => this.#gather(own),
      ...(hasHub && {
        openBackend: (context) => {
          const backend = hubBackend(inherited(HUB_FD), {
            ...context,
            timeoutMs: options.brokerTimeoutMs,
            onLost: () => this.leave('drain'),
          })
          this.#closeHub = backend.close
          return backend
        },
      }),
    }
    try {
      this.#fusewire = new Fusewire(options, { role, logsStart: false })
      if (this.#leaving) await this.#fusewire.close()
      else await this.#serve(this.#fusewire)
    } catch (error) {
      this.#control.tell('failed', failureOf(error))
      // The primary ends this process once it knows why.
      await this.#cutOff
    } finally {
      this.#closeHub?.()
      this.#control.close()
    }
  }

  /** Leaves, well or now. A worker that the primary did not ask to is replaced by another. Idempotent. */
  leave(how: 'drain' | 'close'): void {
    this.#leaving = how
    // `closed` rejects with the same.
    this.#fusewire?.[how]().catch(() => undefined)
  }

  async #serve(fusewire: Fusewire): Promise<void> {
    await fusewire.listen()
    this.#control.tell('serving')
    await fusewire.closed
  }

  #gather(own: Metrics): Metrics {
    this.#own = own
    return {
      contentType: own.contentType,
      read: () =>
        new Promise((resolve, reject) => {
          const scrape = ++this.#lastScrape
          const settle = (): void => {
            clearTimeout(deadline)
            this.#scrapes.delete(scrape)
          }
          const deadline = setTimeout(() => {
            settle()
            reject(new FusewireError('broker_unavailable', 'the primary process of this server does not answer in time'))
          }, GATHER_TIMEOUT_MS)
          this.#scrapes.set(scrape, (text) => {
            settle()
            resolve(text)
          })
          this.#control.tell('gather', scrape)
        }),
    }
  }

  async #collect(question: number): Promise<void> {
    this.#control.tell('collected', question, (await this.#own?.read()) ?? '')
  }
}

const failureOf = (error: unknown): FailedStart => {
  if (!(error instanceof Error)) return { message: String(error) }
  const { message, stack } = error
  if (error instanceof ConfigurationError) return { message, problems: error.problems }
  return { message, ...(stack !== undefined && { stack }) }
}
