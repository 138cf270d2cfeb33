import type { Log } from '@fusewire/engine'
import { ConfigurationError } from '../config/configuration-error.ts'
import type { FusewireOptions } from '../config/options.ts'
import { workerCount } from '../config/worker-options.ts'
import { type Listening, urlOf } from '../listening.ts'
import { createLogger } from '../log/create-logger.ts'
import { eventLog } from '../log/event-log.ts'
import { createPrimaryMetrics } from '../metrics/create-metrics.ts'
import { nodeEnvironment } from '../node-environment.ts'
import { TICKET_KEY_ROTATION_MS, TicketSecret } from '../tls/ticket-secret.ts'
import { TlsCertificates } from '../tls/tls-certificates.ts'
import type { FailedStart } from './control.ts'
import { Gatherings } from './gathering.ts'
import { type OpenHub, openHub } from './open-hub.ts'
import { Place } from './place.ts'
import { reservePort } from './reserve-ports.ts'
import { tryOut } from './try-out.ts'
import type { WorkerCommand } from './worker-process.ts'

/** The workers cannot be kept running. */
export class WorkersError extends Error {
  override readonly name = 'WorkersError'
}

const closedEarly = (): WorkersError => new WorkersError('The server was closed before it was started.')

/**
 * A server of several processes, as the one that has started them sees it: the primary. It has no port of its own. It keeps the
 * workers running, has what they share, and ends them together.
 */
export class Workers {
  /** Settles when all workers have gone, whoever has asked for it. Rejects with a {@link WorkersError} when they cannot be kept running. */
  readonly closed: Promise<void>
  #end: (end?: Promise<void>) => void = () => {}
  readonly #options: FusewireOptions
  readonly #command: WorkerCommand
  readonly #log: Log
  readonly #gatherings = new Gatherings()
  #places: readonly Place[] = []
  #hub: OpenHub | undefined
  #left = 0
  /** While {@link Workers.listen} is under way. */
  #begun: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined
  #giveUp: Error | undefined
  #isLeaving = false
  readonly #pingIntervalMs: number
  #pings: NodeJS.Timeout | undefined
  #metrics: (() => Promise<string>) | undefined

  /** `pingIntervalMs`: how often workers are asked whether they are alive. Default 5,000; six in a row may go unanswered. */
  constructor(options: FusewireOptions, command: WorkerCommand, { pingIntervalMs = 5000 } = {}) {
    this.#pingIntervalMs = pingIntervalMs
    this.#options = options
    this.#command = command
    this.#log = eventLog(createLogger(options.logLevel, options.logFormat))
    this.closed = new Promise((resolve) => {
      this.#end = resolve
    })
    this.closed.catch(() => {})
  }

  /**
   * Starts the workers, and resolves when all of them serve.
   * @throws ConfigurationError when the port cannot be had or shared, or a file cannot be used; WorkersError when no worker starts, and
   * when the server is closed before all of them serve.
   */
  async listen(): Promise<Listening> {
    const { listening, options } = await this.#prepare()
    if (!this.#isLeaving) this.#hub = await openHub(options, nodeEnvironment, this.#log)
    if (this.#isLeaving) {
      await this.#hub?.close()
      throw closedEarly()
    }
    const { snapshots, hub } = this.#hub ?? {}
    this.#metrics = createPrimaryMetrics({
      ...(snapshots && { snapshots }),
      workers: () => ({
        serving: this.#places.filter(({ isServing }) => isServing).length,
        restarts: this.#places.reduce((sum, { restarts }) => sum + restarts, 0),
      }),
    })
    const begun = new Promise<void>((resolve, reject) => {
      this.#begun = { resolve, reject }
    })
    const tickets = new TicketSecret(TICKET_KEY_ROTATION_MS, Date.now())
    this.#places = Array.from(
      { length: workerCount(options) },
      (_, index) =>
        new Place({
          command: this.#command,
          number: index + 1,
          welcome: () => ({
            worker: index + 1,
            options,
            hasHub: hub !== undefined,
            ticketSeed: tickets.seed(Date.now()),
          }),
          hub,
          log: this.#log,
          drainTimeoutMs: options.drainTimeoutMs,
          events: this.#events,
        }),
    )
    for (const place of this.#places) place.start()
    this.#pings = setInterval(() => {
      tickets.advance(Date.now())
      for (const place of this.#places) place.ping()
    }, this.#pingIntervalMs)
    await begun
    this.#begun = undefined
    return listening
  }

  /** Has every worker read the certificate files again. */
  reloadCertificates(): void {
    for (const place of this.#places) place.tell('reload')
  }

  /** Has all workers leave well, and resolves when they have gone. Idempotent. */
  drain(): Promise<void> {
    return this.#leave('drain')
  }

  /** The same, but now. */
  close(): Promise<void> {
    return this.#leave('close')
  }

  /** Ends all workers at once. */
  kill(): void {
    for (const place of this.#places) place.kill()
  }

  /** What can be wrong in a configuration comes first, so that nothing is started when it is. */
  async #prepare(): Promise<{ listening: Listening; options: FusewireOptions }> {
    const { tls: hasTls, host, port, cleartextPort } = this.#options
    const certificates = hasTls ? await TlsCertificates.open(this.#options) : undefined
    certificates?.close()
    await tryOut(this.#options)
    const tls = hasTls ? await reservePort({ host, port }) : undefined
    const cleartext =
      cleartextPort === undefined ? undefined : await reservePort({ host, port: cleartextPort, portOption: 'cleartextPort' })
    const { facts, development } = certificates ?? {}
    return {
      listening: {
        urls: [...(tls ? [urlOf('https', tls)] : []), ...(cleartext ? [urlOf('http', cleartext)] : [])],
        ...(tls && { tls }),
        ...(cleartext && { cleartext }),
        ...(facts && { certificate: { ...facts, ...(development && { development }) } }),
      },
      options: {
        ...this.#options,
        ...(tls && { port: tls.port }),
        ...(cleartext && { cleartextPort: cleartext.port }),
      },
    }
  }

  #leave(how: 'drain' | 'close'): Promise<void> {
    if (!this.#isLeaving || how === 'close') for (const place of this.#places) place.leave(how)
    this.#isLeaving = true
    if (this.#places.length === 0) this.#end(this.#hub?.close())
    return this.closed
  }

  /** Nothing can be served: everything that was started ends. */
  #fail(error: Error): void {
    if (this.#giveUp) return
    this.#giveUp = error
    this.#isLeaving = true
    for (const place of this.#places) place.leave('close')
  }

  readonly #events = {
    serving: () => {
      if (this.#places.every(({ isServing }) => isServing)) this.#begun?.resolve()
    },
    ended: (place: Place, failure: FailedStart | undefined) => {
      this.#gatherings.gone(place.number)
      const mustWork = this.#begun !== undefined || !this.#places.some(({ isServing }) => isServing)
      if (this.#isLeaving || !mustWork) return
      if (failure?.problems) this.#fail(new ConfigurationError(failure.problems))
      else if (this.#places.some(({ isHopeless }) => isHopeless))
        this.#fail(
          new WorkersError(
            failure?.stack ?? failure?.message ?? 'The workers end again and again at their start; the log says how.',
          ),
        )
    },
    gone: (place: Place) => {
      this.#gatherings.gone(place.number)
      this.#left++
      if (this.#left < this.#places.length) return
      clearInterval(this.#pings)
      const end = Promise.resolve(this.#hub?.close()).then(() => {
        if (this.#giveUp) throw this.#giveUp
      })
      end.catch(() => {})
      this.#end(end)
      this.#begun?.reject(this.#giveUp ?? closedEarly())
    },
    drain: () => void this.drain(),
    gather: async (place: Place, question: number) => {
      const serving = this.#places.filter(({ isServing }) => isServing)
      const own = (await this.#metrics?.()) ?? ''
      const text = await this.#gatherings.gather(
        serving.map(({ number }) => number),
        (worker, asked) => this.#places[worker - 1]?.tell('collect', asked),
        own,
      )
      place.tell('gathered', question, text)
    },
    collected: ({ number }: Place, question: number, text: string) => this.#gatherings.collected(number, question, text),
  }
}
