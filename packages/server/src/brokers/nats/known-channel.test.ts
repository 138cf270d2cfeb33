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
