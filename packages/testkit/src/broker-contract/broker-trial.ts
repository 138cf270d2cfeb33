import type { Announcement, Awaitable, Broker, ChannelState, Published, PublishOptions } from '@fusewire/engine'
import { ConflictError } from '@fusewire/engine'
import type { Position, Publication } from '@fusewire/protocol'
import { afterEach, beforeEach } from 'vitest'

/** A broker to be tested, with nothing in it. */
export interface BrokerUnderTest {
  readonly broker: Broker
  /** Lets at least this many milliseconds pass for the broker. */
  readonly pass: (ms: number) => Awaitable<void>
  /** Time passes by itself as well. Default false. */
  readonly isTimeReal?: boolean
  /** The broker's idempotency window, in milliseconds. */
  readonly idempotencyTtlMs: number
  /** The broker of another node over the same publications; absent where there can be no other. It is closed by the suite. */
  readonly another?: () => Awaitable<Broker>
  /**
   * Cuts the broker off from its publications, for as long as `meanwhile` takes; settles when it is back. Absent where nothing can
   * come in between.
   */
  readonly interrupt?: (meanwhile: () => Promise<void>) => Promise<void>
}

/** For longer than any test takes. */
export const KEPT: PublishOptions = { historySize: 5, historyTtlMs: 600_000, historyBytes: 1_000_000 }

/** A broker in the course of a test, and what its listener has heard. */
export class BrokerTrial {
  readonly subject: BrokerUnderTest
  readonly broker: Broker
  readonly heard: (Publication & { channel: string })[] = []
  readonly epochs = new Set<string>()
  /** Channels. */
  readonly interruptions: string[] = []
  readonly announced: Announcement[] = []
  readonly #opened: Broker[] = []

  constructor(subject: BrokerUnderTest) {
    this.subject = subject
    this.broker = subject.broker
  }

  async start(): Promise<void> {
    this.#opened.push(this.broker)
    await this.broker.start({
      publication: (channel, publication, epoch) => {
        this.heard.push({ channel, ...publication })
        this.epochs.add(epoch)
      },
      interrupted: (channel) => this.interruptions.push(channel),
      announcement: (message) => this.announced.push(message),
    })
  }

  /** The broker of another node, started, and what it hears; undefined where there can be no other. */
  readonly another = async (): Promise<{ readonly other: Broker; readonly heardThere: Publication[] } | undefined> => {
    const other = await this.subject.another?.()
    if (!other) return undefined
    this.#opened.push(other)
    const heardThere: Publication[] = []
    await other.start({
      publication: (_, publication) => heardThere.push(publication),
      interrupted: () => undefined,
      announcement: () => undefined,
    })
    return { other, heardThere }
  }

  readonly publish = async (channel: string, data: unknown, options: Partial<PublishOptions> = {}): Promise<Published> =>
    this.broker.publish(channel, { data }, { ...KEPT, ...options })

  /** The numbers from 1 on. */
  readonly publishMany = async (channel: string, count: number, options: Partial<PublishOptions> = {}): Promise<Published> => {
    for (let i = 1; i < count; i++) await this.publish(channel, i, options)
    return this.publish(channel, count, options)
  }

  readonly read = async (channel: string, since?: Position) => this.broker.history(channel, since ? { since } : {})

  async close(): Promise<void> {
    for (const each of this.#opened.splice(0)) await each.close()
  }
}

/** That of the test that is running. */
export type CurrentBroker = () => BrokerTrial

/** Has each test of the suite around begin with a broker of its own. */
export const brokerTrials = (makeBroker: () => Awaitable<BrokerUnderTest>): CurrentBroker => {
  let trial: BrokerTrial | undefined
  beforeEach(async () => {
    trial = new BrokerTrial(await makeBroker())
    await trial.start()
  })
  afterEach(async () => {
    await trial?.close()
    trial = undefined
  })
  return () => {
    if (!trial) throw new Error('outside of a test')
    return trial
  }
}

export const offsets = (publications: readonly Publication[]): number[] => publications.map(({ offset }) => offset)

/** What a publication with `ifPosition` was told that was too late. */
export const conflict = async (publishing: Promise<unknown>): Promise<ChannelState> => {
  const error = await publishing.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof ConflictError)) throw new Error(`no conflict, but ${error}`)
  return error.state
}
