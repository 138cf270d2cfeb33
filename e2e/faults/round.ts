import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '@fusewire/testkit'
import type { Api, Published } from '../api.ts'
import type { FusewireProcess } from '../fusewire-process.ts'
import { createStreams, type Stream } from './stream.ts'
import type { Place } from './told.ts'
import { playTrial, type TrialOutcome } from './trial.ts'

const STORM = 100
const PAGE = 1000

export interface RoundOptions {
  readonly server: FusewireProcess
  readonly api: Api
  readonly random: Random
  /** Of the channels, which are new for each round. */
  readonly name: string
  /** Clients at a time. */
  readonly clients: number
  /** How long faults happen to one client, in milliseconds. */
  readonly trialMs: number
  /** Seed of the next trial; undefined when there shall be no more. */
  nextSeed(): number | undefined
  onTrial?(outcome: TrialOutcome): void
}

export interface RoundOutcome {
  readonly trials: readonly TrialOutcome[]
  /** Publications that the server has acknowledged. */
  readonly published: number
  /** What is wrong with the channels themselves, whatever clients were told. */
  readonly problems: readonly string[]
}

/** Publishes by the HTTP API over a line of its own: in bursts, now and then in a storm, until it is stopped. */
const publishing = async (api: Api, { name, journal, isState }: Stream, random: Random, stop: AbortSignal): Promise<void> => {
  const publication = (n: number) => {
    const filler = 'x'.repeat(random.pick([0, 0, 10, 100, 3000]))
    const data = isState ? { n, [`member${n % 10}`]: n % 7 === 0 ? null : { n } } : { n, filler }
    journal.begin(data)
    return data
  }
  const patch = isState ? { patch: true } : {}
  for (let n = 0; !stop.aborted; ) {
    if (random.next() < 0.02) {
      const all = Array.from({ length: STORM }, () => publication(n++))
      const commands = all.map((data) => ({ publish: { channel: name, data, ...patch } }))
      const { results } = await api.post<{ results: { result: Published }[] }>('batch', { commands })
      for (const [index, { result }] of results.entries()) journal.acknowledge(result.position, all[index])
    } else {
      for (let burst = random.integer(1, 8); burst > 0; burst--) {
        const data = publication(n++)
        journal.acknowledge((await api.publish(name, data, patch)).position, data)
      }
    }
    await delay(random.integer(0, 150))
  }
}

/** What the server has kept of a channel, against what was published: nothing twice, nothing that nobody knows. */
const checkHistory = async (api: Api, { name, journal, promised }: Stream): Promise<string[]> => {
  let since: Place | undefined
  try {
    for (;;) {
      const { position, publications } = await api.history(name, { ...(since && { since }), limit: PAGE })
      for (const { offset, data } of publications) journal.see({ epoch: position.epoch, offset }, data)
      const last = publications.at(-1)?.offset ?? position.offset
      if (last < position.offset) {
        since = { epoch: position.epoch, offset: last }
        continue
      }
      const unknown = journal.unknown(position.epoch, position.offset)
      const isKept = promised.recovery === 'stream' && promised.historySize > position.offset
      return isKept && unknown.length > 0 ? [`${name}: offsets ${unknown} were given to nothing that was published`] : []
    }
  } catch (error) {
    return [`${name}: ${(error as Error).message}`]
  }
}

/** Many clients side by side, each with its own faults, in channels in which something is published all the time. */
export const playRound = async (options: RoundOptions): Promise<RoundOutcome> => {
  const { server, api, random, name, clients, trialMs, nextSeed, onTrial } = options
  const streams = createStreams(name)
  const stop = new AbortController()
  const publishers = Promise.all(streams.map((stream) => publishing(api, stream, random.fork(), stop.signal)))
  const trials: TrialOutcome[] = []
  const field = async (): Promise<void> => {
    for (let seed = nextSeed(); seed !== undefined; seed = nextSeed()) {
      const outcome = await playTrial({ server, streams, seed, durationMs: trialMs })
      trials.push(outcome)
      onTrial?.(outcome)
    }
  }
  try {
    await Promise.race([publishers, Promise.all(Array.from({ length: clients }, field))])
  } finally {
    stop.abort()
    await publishers
  }
  const problems = (await Promise.all(streams.map((stream) => checkHistory(api, stream)))).flat()
  return { trials, published: streams.reduce((sum, { journal }) => sum + journal.acknowledged, 0), problems }
}
