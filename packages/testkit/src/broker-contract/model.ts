import type { Awaitable, HistoryQuery, PublicationDraft, Published, PublishOptions } from '@fusewire/engine'
import { FusewireError, type Position } from '@fusewire/protocol'
import fc from 'fast-check'
import { expect } from 'vitest'
import { eventually } from '../eventually.ts'
import { patched } from '../journal.ts'
import type { BrokerUnderTest } from './broker-trial.ts'

type Operation =
  | {
      readonly do: 'publish'
      readonly channel: string
      readonly size: number
      readonly bytes: number
      /** How large the data is made. */
      readonly filler: number
      /** `patch` is one of flat objects. */
      readonly document: 'none' | 'whole' | 'patch'
      /** Publications behind the newest; 0 is the newest itself. */
      readonly ifBack?: number
      readonly key?: string
    }
  | { readonly do: 'remove'; readonly channel: string }
  | {
      readonly do: 'history'
      readonly channel: string
      readonly back: number
      readonly limit?: number
      readonly reverse: boolean
    }
  | { readonly do: 'clear'; readonly channel: string }
  | { readonly do: 'pass' }

const TTL_MS = 2_000
const channel = fc.constantFrom('a', 'b')

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record(
      {
        do: fc.constant('publish' as const),
        channel,
        size: fc.constantFrom(4, 4, 4, 2, 0),
        bytes: fc.constantFrom(1_000_000, 1_000_000, 150, 30),
        filler: fc.constantFrom(0, 0, 20, 60),
        document: fc.constantFrom('whole', 'patch', 'patch', 'none'),
        ifBack: fc.constantFrom(0, 0, 1),
        key: fc.constantFrom('k1', 'k2'),
      },
      { requiredKeys: ['do', 'channel', 'size', 'bytes', 'filler', 'document'] },
    ),
  },
  {
    weight: 4,
    arbitrary: fc.record(
      {
        do: fc.constant('history' as const),
        channel,
        back: fc.integer({ min: -1, max: 6 }),
        limit: fc.nat(5),
        reverse: fc.boolean(),
      },
      { requiredKeys: ['do', 'channel', 'back', 'reverse'] },
    ),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), channel }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), channel }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const) }) },
)

const MAX_DOCUMENT_BYTES = 200

interface Kept {
  readonly offset: number
  readonly data: unknown
  readonly bytes: number
}

/** What a channel must look like from outside, in the plainest words. Time passes in leaps that nothing survives. */
class ModelChannel {
  /** How many documents have gone, each with its epoch. */
  epochs = 0
  offset = 0
  kept: Kept[] = []
  document: unknown
  readonly keys = new Map<string, Position>()

  publish(data: unknown, op: Publish, now: Position): Outcome {
    const earlier = op.key === undefined ? undefined : this.keys.get(op.key)
    if (earlier) return { position: earlier, duplicate: true }
    if (op.ifBack) return { refused: 'conflict' }
    const document = op.document === 'none' ? undefined : op.document === 'whole' ? data : patched(this.document, data)
    if (document !== undefined && JSON.stringify(document).length > MAX_DOCUMENT_BYTES) return { refused: 'document_too_large' }
    const position = { ...now, offset: ++this.offset }
    this.document = document
    if (op.key !== undefined) this.keys.set(op.key, position)
    const bytes = JSON.stringify(draftOf(data, op)).length
    this.kept = op.size === 0 ? [] : [...this.kept, { offset: this.offset, data, bytes }].slice(-op.size)
    while (this.kept.reduce((sum, one) => sum + one.bytes, 0) > op.bytes) this.kept.shift()
    return { position, duplicate: false }
  }

  /** The document goes, and everything with it. False when there is none. */
  remove(): boolean {
    if (this.document === undefined) return false
    this.document = undefined
    this.kept = []
    this.offset = 0
    this.epochs++
    return true
  }

  complete(since: number): boolean {
    const missed = this.offset - since
    return missed >= 0 && this.kept.filter(({ offset }) => offset > since).length === missed
  }

  page(since: number, limit: number, reverse: boolean): { offset: number; data: unknown }[] {
    const found = this.kept.filter(({ offset }) => offset > since).map(({ offset, data }) => ({ offset, data }))
    return (reverse ? found.reverse() : found).slice(0, limit)
  }
}

type Publish = Operation & { do: 'publish' }
type Outcome = Published | { readonly refused: string }

const draftOf = (data: unknown, { document }: Publish): PublicationDraft => ({
  data,
  ...(document === 'patch' && { patch: true }),
})

const optionsOf = ({ size, bytes, document, key }: Publish, ifPosition: Position | undefined): PublishOptions => ({
  historySize: size,
  historyTtlMs: TTL_MS,
  historyBytes: bytes,
  ...(key !== undefined && { idempotencyKey: key }),
  ...(ifPosition && { ifPosition }),
  ...(document !== 'none' && { state: { ttlMs: TTL_MS, maxDocumentBytes: MAX_DOCUMENT_BYTES } }),
})

const outcomeOf = async (publishing: () => Awaitable<Published>): Promise<Outcome> => {
  try {
    return await publishing()
  } catch (error) {
    if (!(error instanceof FusewireError)) throw error
    return { refused: error.code }
  }
}

/**
 * Random operations on the broker and on a model of it: both must say the same. Where time is real and the machine so busy that what
 * was kept may have ended meanwhile, nothing follows from a difference, and another history takes its place; `fast-check` fails when
 * that happens too often.
 */
export const brokerModelProperty = (
  makeBroker: () => BrokerUnderTest | Promise<BrokerUnderTest>,
  numRuns: number,
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 24 }), async (operations) => {
      const subject = await makeBroker()
      try {
        await compare(subject, operations)
      } finally {
        await subject.broker.close()
      }
    }),
    { numRuns },
  )

const compare = async (subject: BrokerUnderTest, operations: readonly Operation[]): Promise<void> => {
  const { broker, pass, idempotencyTtlMs, isTimeReal = false } = subject
  const models: Record<string, ModelChannel> = { a: new ModelChannel(), b: new ModelChannel() }
  const heard: Record<string, { epoch: string; offset: number; data: unknown }[]> = { a: [], b: [] }
  const expected: typeof heard = { a: [], b: [] }
  const interruptions: Record<string, number> = { a: 0, b: 0 }
  await broker.start({
    publication: (name, { offset, data }, epoch) => heard[name]?.push({ epoch, offset, data }),
    interrupted: (name) => {
      interruptions[name] = (interruptions[name] ?? 0) + 1
    },
    announcement: () => undefined,
  })
  for (const name in models) await broker.subscribe(name)

  let serial = 0
  /** Nothing was kept at that time, by `performance.now()`. */
  let emptyAt = performance.now()
  try {
    for (const op of operations) {
      if (op.do === 'pass') {
        await pass(Math.max(TTL_MS, idempotencyTtlMs) + 500)
        emptyAt = performance.now()
        for (const model of Object.values(models)) {
          model.remove()
          model.kept = []
          model.keys.clear()
        }
        continue
      }
      const model = models[op.channel] as ModelChannel
      const { position } = await broker.history(op.channel, { limit: 0 })
      if (op.do === 'publish') {
        const data = { [`n${++serial % 4}`]: serial % 6 === 0 ? null : 'x'.repeat(op.filler), serial }
        const ifPosition = op.ifBack === undefined ? undefined : { ...position, offset: Math.abs(model.offset - op.ifBack) }
        const outcome = await outcomeOf(() => broker.publish(op.channel, draftOf(data, op), optionsOf(op, ifPosition)))
        const wanted = model.publish(data, op, position)
        expect(outcome).toEqual(wanted)
        if ('position' in wanted && !wanted.duplicate) expected[op.channel]?.push({ ...wanted.position, data })
      } else if (op.do === 'clear') {
        await broker.clearHistory(op.channel)
        model.kept = []
      } else if (op.do === 'remove') {
        expect(await broker.removeDocument(op.channel)).toBe(model.remove())
      } else {
        const since = Math.max(0, model.offset - op.back)
        const { limit = Number.POSITIVE_INFINITY, reverse } = op
        const query: HistoryQuery = {
          since: { ...position, offset: since },
          reverse,
          ...(op.limit !== undefined && { limit: op.limit }),
        }
        const page = await broker.history(op.channel, query)
        expect(page.position).toEqual({ epoch: position.epoch, offset: model.offset })
        expect(page.complete).toBe(model.complete(since))
        expect(page.publications.map(({ offset, data }) => ({ offset, data }))).toEqual(model.page(since, limit, reverse))
      }
      const state = await broker.state(op.channel)
      expect(state.position.offset).toBe(model.offset)
      expect(state.document).toEqual(model.document)
    }
  } catch (difference) {
    fc.pre(!isTimeReal || performance.now() - emptyAt < Math.min(TTL_MS, idempotencyTtlMs))
    throw difference
  }
  expect(heard).toEqual(expected)
  // That a document has ended with its TTL is told when its node has looked.
  for (const name in models) await eventually(() => expect(interruptions[name]).toBeGreaterThanOrEqual(models[name]?.epochs ?? 0))
}
