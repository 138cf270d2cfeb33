import type { Position } from '@fusewire/protocol'
import { FakeEnvironment } from '@fusewire/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PublishOptions } from '../ports/broker.ts'
import { MemoryBroker } from './memory-broker.ts'
import type { SnapshotRecord } from './snapshot-record.ts'

/** Channels stay: when exactly one is forgotten, and its epoch with it, depends on what it was before. */
const OPTIONS = { channelTtlMs: 100_000_000, idempotencyTtlMs: 5_000, maxIdempotencyKeys: 5 }
const KEPT: PublishOptions = { historySize: 1000, historyTtlMs: 600_000, historyBytes: 1_000_000 }
const STATE: PublishOptions = { ...KEPT, state: { ttlMs: 600_000, maxDocumentBytes: 10_000 } }

const newBroker = (environment = new FakeEnvironment()): MemoryBroker => {
  const broker = new MemoryBroker(environment, OPTIONS)
  broker.start({ publication: () => undefined, interrupted: () => undefined, announcement: () => undefined })
  return broker
}

const restored = async (
  records: Iterable<SnapshotRecord>,
  continues: boolean,
  environment: FakeEnvironment,
): Promise<MemoryBroker> => {
  const broker = newBroker(environment)
  await broker.restore(records, { continues })
  return broker
}

/** What one of the brokers answers, or throws. */
const outcome = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    return `${error}`
  }
}

const channel = fc.constantFrom('a', 'b', 'c')
const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      channel,
      data: fc.oneof(fc.integer(), fc.constant(new Uint8Array([1, 2])), fc.record({ x: fc.option(fc.nat(3)) })),
      key: fc.option(fc.constantFrom('k', 'l', 'm'), { nil: undefined }),
      historySize: fc.constantFrom(0, 2, 5),
      historyTtlMs: fc.constantFrom(1_000, 60_000),
      state: fc.option(fc.constantFrom(2_000, 60_000), { nil: undefined }),
      patch: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), channel }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), channel }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(500, 3_000, 25_000) }) },
)

type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never

const carryOut = (broker: MemoryBroker, operation: Operation): unknown => {
  switch (operation.do) {
    case 'publish': {
      const { channel, data, key, historySize, historyTtlMs, state, patch } = operation
      const isPatch = patch && state !== undefined
      return broker.publish(
        channel,
        { data, ...(isPatch && { patch: true }) },
        {
          ...{ historySize, historyTtlMs, historyBytes: 1_000 },
          ...(key !== undefined && { idempotencyKey: key }),
          ...(state !== undefined && { state: { ttlMs: state, maxDocumentBytes: 1_000 } }),
        },
      )
    }
    case 'clear':
      return broker.clearHistory(operation.channel)
    case 'remove':
      return broker.removeDocument(operation.channel)
    case 'pass':
      return broker.sweep()
  }
}

/** The same with epochs that nobody knew yet made alike: which of two channels begins its next one first is all the same. */
const withEpochsOf = (known: ReadonlySet<unknown>, value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map((item) => withEpochsOf(known, item))
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      name === 'epoch' && !known.has(item) ? 'another' : withEpochsOf(known, item),
    ]),
  )
}

const everything = (broker: MemoryBroker): unknown => {
  const look = (name: string) => ({ history: broker.history(name, {}), state: broker.state(name) })
  // What has expired in this moment is found out by the first look, and is news to the channels that were looked at before.
  for (const name of ['a', 'b', 'c']) look(name)
  return ['a', 'b', 'c'].map(look)
}

describe('a memory broker that was restored', () => {
  it('goes on as if nothing had been between, when nothing was', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 40 }),
        fc.array(operation, { maxLength: 20 }),
        fc.constantFrom(0, 1_500, 30_000),
        async (before, after, pauseMs) => {
          const environment = new FakeEnvironment()
          const original = newBroker(environment)
          const since: Position[] = []
          const step = (broker: MemoryBroker, operation: Operation) => outcome(() => carryOut(broker, operation))
          for (const operation of before) {
            if (operation.do === 'pass') environment.advance(operation.ms)
            step(original, operation)
            for (const name of ['a', 'b', 'c']) since.push(original.history(name, {}).position)
          }
          const records = [...original.dump()]
          environment.advance(pauseMs)
          original.sweep()
          const broker = await restored(records, true, environment)
          const known = new Set(since.map(({ epoch }) => epoch))
          const expectSame = (ask: (broker: MemoryBroker) => unknown): void =>
            expect(withEpochsOf(known, ask(broker))).toEqual(withEpochsOf(known, ask(original)))
          expectSame(everything)
          for (const operation of after) {
            if (operation.do === 'pass') environment.advance(operation.ms)
            expectSame((either) => step(either, operation))
            expectSame(everything)
          }
          for (const position of since)
            for (const name of ['a', 'b', 'c']) expectSame((either) => either.history(name, { since: position }))
        },
      ),
      { numRuns: 100 },
    )
  })

  it('has history, documents and keys behind other epochs, when something may have been published since', async () => {
    const environment = new FakeEnvironment()
    const original = newBroker(environment)
    original.publish('doc', { data: { a: 1 } }, STATE)
    const { position } = original.publish('doc', { data: { b: 2 }, patch: true }, { ...STATE, idempotencyKey: 'k' })
    const broker = await restored([...original.dump()], false, environment)
    const page = broker.history('doc', { since: position })
    expect(page.complete).toBe(false)
    expect(page.position.offset).toBe(2)
    expect(page.position.epoch).not.toBe(position.epoch)
    expect(broker.history('doc', { since: { epoch: page.position.epoch, offset: 0 } })).toMatchObject({
      complete: true,
      publications: [{ offset: 1 }, { offset: 2, data: { b: 2 } }],
    })
    expect(broker.state('doc')).toMatchObject({ document: { a: 1, b: 2 } })
    const again = broker.publish('doc', { data: { b: 3 }, patch: true }, { ...STATE, idempotencyKey: 'k' })
    expect(again).toEqual({ position, duplicate: true })
    expect(broker.publish('doc', { data: { c: 4 }, patch: true }, STATE).position).toEqual({ ...page.position, offset: 3 })
  })

  it('forgets what nobody has used for the TTL, the time between the two included', async () => {
    const environment = new FakeEnvironment()
    const original = newBroker(environment)
    const { position } = original.publish('a', { data: 1 }, { ...STATE, idempotencyKey: 'k' })
    const records = [...original.dump()]
    environment.advance(OPTIONS.channelTtlMs)
    const broker = await restored(records, true, environment)
    expect(broker.size).toEqual({ streams: 0, idempotencyKeys: 0 })
    expect(broker.history('a', { since: position })).toMatchObject({ complete: false, position: { offset: 0 } })
    expect(broker.history('a', {}).position.epoch).not.toBe(position.epoch)
  })

  it('cannot be one that has been published to', async () => {
    const broker = newBroker()
    broker.publish('a', { data: 1 }, KEPT)
    await expect(broker.restore([], { continues: true })).rejects.toThrow('before the snapshot')
  })
})

describe('a dump', () => {
  it('that is read slowly has each channel as it was at one moment, and no key without its publication', () => {
    const publish = fc.record({ channel, key: fc.nat(20) })
    fc.assert(
      fc.property(fc.array(publish, { maxLength: 20 }), fc.array(fc.array(publish, { maxLength: 3 })), (before, between) => {
        const broker = newBroker()
        const carryOut = ({ channel, key }: { channel: string; key: number }) =>
          broker.publish(channel, { data: { [key]: 1 }, patch: true }, { ...STATE, idempotencyKey: `${key}` })
        for (const one of before) carryOut(one)
        const records: SnapshotRecord[] = []
        const meanwhile = [...between]
        for (const record of broker.dump()) {
          records.push(record)
          for (const one of meanwhile.shift() ?? []) carryOut(one)
        }
        const streams = new Map<
          string,
          { offset: number; document: unknown; publications: { offset: number; data: unknown }[] }
        >()
        for (const record of records) {
          if (record.kind === 'stream') {
            const { offset, document } = record
            streams.set(record.channel, { offset, document: document?.value, publications: [] })
          } else if (record.kind === 'publication') [...streams.values()].at(-1)?.publications.push(record.publication)
        }
        for (const { offset, document, publications } of streams.values()) {
          expect(publications.map((publication) => publication.offset)).toEqual(
            Array.from({ length: offset }, (_, index) => index + 1),
          )
          expect(Object.assign({}, ...publications.map(({ data }) => data))).toEqual(document)
        }
        for (const record of records)
          if (record.kind === 'key')
            expect(streams.get(record.key.split(' ')[0] ?? '')?.offset).toBeGreaterThanOrEqual(record.position.offset)
      }),
    )
  })

  it('is another one only after something has changed', () => {
    const broker = newBroker()
    const revisions = [broker.revision]
    const note = (): unknown => revisions.push(broker.revision)
    broker.publish('a', { data: 1 }, { ...STATE, idempotencyKey: 'k' })
    note()
    broker.removeDocument('a')
    note()
    broker.clearHistory('a')
    note()
    broker.subscribe('b')
    note()
    expect(new Set(revisions).size).toBe(revisions.length)
    broker.history('a', {})
    broker.state('a')
    broker.sweep()
    expect(broker.revision).toBe(revisions.at(-1))
  })
})
