import type { Position } from '@fusewire/protocol'
import { FakeEnvironment } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryBroker } from './memory/memory-broker.ts'
import type { HistoryQuery } from './ports/broker.ts'
import { type Recovery, readChannel, recoveryOf, type Since } from './recovery.ts'
import { type ChannelRule, DEFAULT_RULE } from './rule.ts'

const CHANNEL = 'news'

let broker: MemoryBroker
/** Histories that were asked for. */
let queries: HistoryQuery[]

beforeEach(() => {
  broker = new MemoryBroker(new FakeEnvironment())
  queries = []
  const { history } = broker
  broker.history = (channel, query) => {
    queries.push(query)
    return history.call(broker, channel, query)
  }
})

/** Publishes this, each with itself as its tag. */
const publish = (rule: ChannelRule, ...all: readonly string[]): void => {
  const { historySize, historyTtlMs, historyBytes, state, stateTtlMs, maxDocumentBytes } = rule
  const options = { historySize, historyTtlMs, historyBytes, ...(state && { state: { ttlMs: stateTtlMs, maxDocumentBytes } }) }
  for (const data of all) broker.publish(CHANNEL, { data, tags: { tag: data } }, options)
}

const recover = async (rule: ChannelRule, since: Since, wanted?: string): Promise<Recovery> => {
  const reading = await readChannel(broker, CHANNEL, rule, { since, isFiltered: wanted !== undefined })
  return recoveryOf(reading, since, ({ tags }) => wanted === undefined || tags?.tag === wanted)
}

const at = (offset: number): Position => ({ ...broker.state(CHANNEL).position, offset })
const elsewhere = (offset: number): Position => ({ epoch: 'another', offset })
const data = ({ publications }: Recovery) => publications.map((publication) => publication.data)

describe('[S5] recovery of a stream', () => {
  const rule: ChannelRule = { ...DEFAULT_RULE, historySize: 3 }

  it('is everything after the position, as far as it is wanted', async () => {
    publish(rule, 'a', 'b', 'c')
    const all = await recover(rule, at(1))
    expect(all).toMatchObject({ recovered: true, position: at(3) })
    expect(data(all)).toEqual(['b', 'c'])
    expect(data(await recover(rule, at(1), 'c'))).toEqual(['c'])
    expect(await recover(rule, at(3))).toEqual({ recovered: true, position: at(3), publications: [] })
  })

  it('is nothing where something is missing, or nobody knows what', async () => {
    publish(rule, 'a', 'b', 'c', 'd')
    for (const since of [at(0), at(5), elsewhere(2), 'nowhere'] as const)
      expect(await recover(rule, since)).toEqual({ recovered: false, position: at(4), publications: [] })
  })

  it('is not that of a subscription that only begins, for which no publication is read', async () => {
    publish(rule, 'a')
    expect(await recover(rule, undefined)).toEqual({ position: at(1), publications: [] })
    expect(queries).toEqual([{ limit: 0 }])
  })
})

describe('[S11] recovery of the newest', () => {
  const rule: ChannelRule = { ...DEFAULT_RULE, historySize: 3, recovery: 'latest' }

  it('is the newest that is wanted and was not read, of whichever epoch', async () => {
    publish(rule, 'a', 'b', 'c', 'b', 'd')
    for (const [since, wanted, expected] of [
      [at(1), undefined, ['d']],
      [at(4), undefined, ['d']],
      [at(5), undefined, []],
      [at(6), undefined, ['d']],
      [elsewhere(9), undefined, ['d']],
      ['nowhere', undefined, ['d']],
      [at(1), 'b', ['b']],
      [at(4), 'b', []],
    ] as const) {
      const recovery = await recover(rule, since, wanted)
      expect(recovery).toMatchObject({ recovered: true, position: at(5) })
      expect(data(recovery)).toEqual(expected)
    }
    expect(queries.map(({ limit }) => limit)).toEqual([1, 1, 1, 1, 1, 1, undefined, undefined])
  })

  it('is known to be nothing where all that may have been wanted is kept, and told to be incomplete otherwise', async () => {
    publish(rule, 'a', 'b', 'c', 'd')
    for (const [since, recovered] of [
      [at(0), false],
      [at(1), true],
      [at(4), true],
      [elsewhere(4), false],
      ['nowhere', false],
    ] as const)
      expect(await recover(rule, since, 'a')).toEqual({ recovered, position: at(4), publications: [] })
    broker.clearHistory(CHANNEL)
    for (const [since, recovered] of [
      [at(3), false],
      [at(4), true],
      [at(5), false],
      ['nowhere', false],
    ] as const)
      expect(await recover(rule, since)).toEqual({ recovered, position: at(4), publications: [] })
  })

  it('is given to a subscription that only begins, too, where there is one', async () => {
    expect(await recover(rule, undefined)).toEqual({ position: at(0), publications: [] })
    publish(rule, 'a', 'b')
    const recovery = await recover(rule, undefined)
    expect(recovery).toMatchObject({ position: at(2) })
    expect(recovery).not.toHaveProperty('recovered')
    expect(data(recovery)).toEqual(['b'])
  })
})

describe('[S12] recovery of nothing', () => {
  const rule: ChannelRule = { ...DEFAULT_RULE, recovery: 'none' }

  it('is complete at the newest position alone', async () => {
    publish(rule, 'a', 'b')
    for (const [since, recovered] of [
      [at(2), true],
      [at(1), false],
      [elsewhere(2), false],
      ['nowhere', false],
    ] as const)
      expect(await recover(rule, since)).toEqual({ recovered, position: at(2), publications: [] })
    expect(await recover(rule, undefined)).toEqual({ position: at(2), publications: [] })
    expect(new Set(queries.map(({ limit }) => limit))).toEqual(new Set([0]))
  })
})

describe('[D1] recovery of a document', () => {
  const rule: ChannelRule = { ...DEFAULT_RULE, historySize: 2, state: true }

  it('is what has changed it since the position, or the document itself where that is not kept', async () => {
    publish(rule, 'a', 'b', 'c')
    const changes = await recover(rule, at(1))
    expect(changes).toMatchObject({ recovered: true, position: at(3) })
    expect(changes).not.toHaveProperty('document')
    expect(data(changes)).toEqual(['b', 'c'])
    for (const since of [at(0), elsewhere(3), 'nowhere'] as const)
      expect(await recover(rule, since)).toEqual({ recovered: false, position: at(3), publications: [], document: 'c' })
    expect(await recover(rule, undefined)).toEqual({ position: at(3), publications: [], document: 'c' })
  })

  it('has no document while nothing has been published', async () => {
    expect(await recover(rule, undefined)).toEqual({ position: at(0), publications: [] })
  })
})
