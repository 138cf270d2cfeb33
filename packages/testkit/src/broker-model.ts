import type { HistoryQuery } from '@fusewire/engine'
import type { Publication } from '@fusewire/protocol'
import fc from 'fast-check'
import { expect } from 'vitest'
import type { BrokerUnderTest } from './broker-contract.ts'

type Operation =
  | { readonly do: 'publish'; readonly channel: string; readonly size: number; readonly key?: string }
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
      { do: fc.constant('publish' as const), channel, size: fc.constantFrom(4, 4, 4, 2, 0), key: fc.constantFrom('k1', 'k2') },
      { requiredKeys: ['do', 'channel', 'size'] },
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
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const) }) },
)

/** What a channel must look like from outside, in the plainest words. Time passes in leaps that nothing survives. */
class ModelChannel {
  offset = 0
  kept: { offset: number; data: unknown }[] = []
  readonly keys = new Map<string, number>()

  publish(data: unknown, size: number, key: string | undefined): { offset: number; duplicate: boolean } {
    const earlier = key === undefined ? undefined : this.keys.get(key)
    if (earlier !== undefined) return { offset: earlier, duplicate: true }
    const offset = ++this.offset
    if (key !== undefined) this.keys.set(key, offset)
    this.kept = size === 0 ? [] : [...this.kept, { offset, data }].slice(-size)
    return { offset, duplicate: false }
  }

  complete(since: number): boolean {
    const missed = this.offset - since
    return missed >= 0 && this.kept.filter(({ offset }) => offset > since).length === missed
  }

  page(since: number, limit: number, reverse: boolean): { offset: number; data: unknown }[] {
    const found = this.kept.filter(({ offset }) => offset > since)
    return (reverse ? found.reverse() : found).slice(0, limit)
  }
}

/** Random operations on the broker and on a model of it: both must say the same. */
export const brokerModelProperty = (
  makeBroker: () => BrokerUnderTest | Promise<BrokerUnderTest>,
  numRuns: number,
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
      const { broker, pass, idempotencyTtlMs } = await makeBroker()
      const models = { a: new ModelChannel(), b: new ModelChannel() } as Record<string, ModelChannel>
      const heard: Record<string, Publication[]> = { a: [], b: [] }
      const expected: Record<string, { offset: number; data: unknown }[]> = { a: [], b: [] }
      await broker.start({ publication: (name, publication) => heard[name]?.push(publication), interrupted: () => undefined })
      for (const name in models) await broker.subscribe(name)

      let serial = 0
      for (const op of operations) {
        if (op.do === 'pass') {
          await pass(Math.max(TTL_MS, idempotencyTtlMs) + 500)
          for (const model of Object.values(models)) {
            model.kept = []
            model.keys.clear()
          }
          continue
        }
        const model = models[op.channel] as ModelChannel
        if (op.do === 'publish') {
          const data = ++serial
          const options = {
            historySize: op.size,
            historyTtlMs: TTL_MS,
            historyBytes: 1_000_000,
            ...(op.key && { idempotencyKey: op.key }),
          }
          const published = await broker.publish(op.channel, { data }, options)
          const wanted = model.publish(data, op.size, op.key)
          if (!wanted.duplicate) expected[op.channel]?.push({ offset: wanted.offset, data })
          expect({ offset: published.position.offset, duplicate: published.duplicate }).toEqual(wanted)
        } else if (op.do === 'clear') {
          await broker.clearHistory(op.channel)
          model.kept = []
        } else {
          const { position } = await broker.history(op.channel, { limit: 0 })
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
      }
      const plain = (name: string) => heard[name]?.map(({ offset, data }) => ({ offset, data }))
      expect({ a: plain('a'), b: plain('b') }).toEqual(expected)
      await broker.close()
    }),
    { numRuns },
  )
