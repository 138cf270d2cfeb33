import { describe, expect, it } from 'vitest'
import type { Located } from './channel-record.ts'
import { KnownChannel } from './known-channel.ts'
import type { RecordStream } from './record-stream.ts'

const WINDOW_MS = 300_000

/** Record n of a channel whose records each have publication n, with the key `key-n` and n bytes. */
const recordAt = (n: number): Located => ({
  sequence: n,
  record: {
    id: `r${n}`,
    epoch: 'e',
    offset: n,
    time: n,
    previous: n - 1,
    trail: Array.from({ length: n - 1 }, (_, at) => ({ sequence: n - 1 - at, first: n - 1 - at, last: n - 1 - at })),
    keyed: Array.from({ length: n - 1 }, (_, at) => ({ sequence: n - 1 - at, time: n - 1 - at })),
    kept: { from: 1, ttlMs: 1_000, bytes: 0 },
    publications: [{ draft: { data: n }, bytes: n, key: `key-${n}` }],
  },
})

/** Knows the record with this number alone, of a stream that answers once it is let go. */
const knowing = (n: number): { known: KnownChannel; answer: () => void } => {
  let answer = (): void => undefined
  const held = new Promise<void>((resolve) => {
    answer = resolve
  })
  const record: RecordStream['record'] = (sequence) => held.then(() => recordAt(sequence))
  const known = new KnownChannel({ record } as RecordStream, WINDOW_MS)
  known.advance(recordAt(n))
  return { known, answer: () => answer() }
}

const usedOf = (known: KnownChannel): boolean[] => [1, 2, 3, 4].map((n) => known.usedKey(`key-${n}`) !== undefined)

describe('what a node knows of a channel of NATS', () => {
  it('has the keys of a record that is heard while those before are read', async () => {
    const { known, answer } = knowing(2)
    const learning = known.learnKeys(0)
    known.advance(recordAt(3))
    answer()
    await learning
    known.advance(recordAt(4))
    expect(usedOf(known)).toEqual([true, true, true, true])
  })

  it('reads the keys again when a record was missed meanwhile, or everything was forgotten', async () => {
    const { known, answer } = knowing(2)
    const learning = known.learnKeys(0)
    known.advance(recordAt(4))
    answer()
    await learning
    expect(usedOf(known)).toEqual([true, true, true, true])

    const other = knowing(2)
    const relearning = other.known.learnKeys(0)
    other.known.forget()
    other.answer()
    await relearning
    expect(usedOf(other.known)).toEqual([false, false, false, false])
  })

  it('forgets keys that are older than the window, and no others', async () => {
    const { known, answer } = knowing(4)
    answer()
    known.dropKeys(4)
    await known.learnKeys(2)
    expect(usedOf(known)).toEqual([false, true, true, true])
    known.dropKeys(2)
    expect(usedOf(known)).toEqual([false, false, true, true])
  })

  it('counts the records of this window and of the one before, twice, once keys are used', async () => {
    const { known, answer } = knowing(1)
    answer()
    expect(known.recordsWithKeys).toBe(0)
    await known.learnKeys(0)
    const hear = (n: number, time: number): void => {
      const { sequence, record } = recordAt(n)
      known.advance({ sequence, record: { ...record, time } })
    }
    const begin = 10 * WINDOW_MS
    const counts = [begin, begin + WINDOW_MS - 1, begin + WINDOW_MS, begin + 2 * WINDOW_MS].map((time, index) => {
      hear(2 + index, time)
      return known.recordsWithKeys
    })
    expect(counts).toEqual([2, 4, 2 * (1 + 2), 2 * (1 + 1)])
  })

  it('goes by the newest record, and takes none for another of before', () => {
    const { known } = knowing(2)
    known.advance(recordAt(1))
    known.advance({ ...recordAt(2), record: { ...recordAt(2).record, id: 'again' } })
    expect(known.head).toEqual(recordAt(2))
    known.forget()
    expect([known.head, known.isStale]).toEqual([undefined, true])
  })

  it('keeps the sizes of what is kept, from record to record', async () => {
    const { known, answer } = knowing(3)
    answer()
    await known.countSizes()
    const hear = (n: number, changes: Partial<Located['record']>): void => {
      const { sequence, record } = recordAt(n)
      known.advance({ sequence, record: { ...record, ...changes } })
    }
    hear(4, { kept: { from: 3, ttlMs: 1_000, bytes: 0 } })
    expect(known.sizes).toEqual([3, 4])
    hear(5, { offset: 4, publications: [], kept: { from: 5, ttlMs: 1_000, bytes: 0 } })
    expect(known.sizes).toEqual([])
    hear(6, { offset: 5, kept: { from: 5, ttlMs: 1_000, bytes: 0 } })
    expect(known.sizes).toEqual([6])
    hear(7, { epoch: 'f', offset: 1, kept: { from: 1, ttlMs: 1_000, bytes: 0 } })
    expect(known.sizes).toEqual([7])
    hear(9, { epoch: 'f', offset: 3 })
    expect(known.sizes).toBeUndefined()
  })

  it('does not take the sizes of an older record for those of the head', async () => {
    const { known, answer } = knowing(2)
    const counting = known.countSizes()
    known.advance(recordAt(3))
    answer()
    expect(await counting).toEqual([1, 2])
    expect(known.sizes).toBeUndefined()
    expect(await known.countSizes()).toEqual([1, 2, 3])
    known.advance(recordAt(4))
    expect(known.sizes).toEqual([1, 2, 3, 4])
  })
})
