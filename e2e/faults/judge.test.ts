import { describe, expect, it } from 'vitest'
import { Journal } from './journal.ts'
import { judge, type Promised, type ViolationKind } from './judge.ts'
import type { Told } from './told.ts'

const EPOCH = 'e'
const STREAM: Promised = { recovery: 'stream', historySize: 8, historyBytes: 1_000_000 }

const journal = new Journal()
for (let offset = 1; offset <= 20; offset++) {
  journal.begin(`p${offset}`)
  journal.acknowledge({ epoch: EPOCH, offset }, `p${offset}`)
}

const subscribed = (offset: number, more: { recovered?: boolean; wasRecovering?: boolean; epoch?: string } = {}): Told => ({
  kind: 'subscribed',
  position: { epoch: more.epoch ?? EPOCH, offset },
  wasRecovering: more.wasRecovering ?? more.recovered !== undefined,
  recovered: more.recovered ?? false,
})
const publications = (from: number, to: number): Told[] =>
  Array.from({ length: to - from + 1 }, (_, n) => ({ kind: 'publication', offset: from + n, data: `p${from + n}` }))

const kinds = (told: readonly Told[], promised: Promised = STREAM): ViolationKind[] =>
  judge(told, journal, promised).violations.map(({ kind }) => kind)

describe('the judge of the promise', () => {
  it('takes what is perfect, and what is honest', () => {
    const perfect = [subscribed(2), ...publications(3, 9), subscribed(12, { recovered: true }), ...publications(10, 20)]
    expect(judge(perfect, journal, STREAM)).toEqual({ delivered: 18, recovered: 1, lost: 0, violations: [] })
    const honest = [subscribed(0), ...publications(1, 3), subscribed(13, { recovered: false }), ...publications(14, 20)]
    expect(judge(honest, journal, STREAM)).toEqual({ delivered: 10, recovered: 0, lost: 1, violations: [] })
  })

  it('takes nothing else', () => {
    expect(kinds([subscribed(2), ...publications(3, 9), ...publications(11, 20)])).toEqual(['missing'])
    expect(kinds([subscribed(2), ...publications(3, 9), subscribed(12, { recovered: true }), ...publications(13, 20)])).toEqual([
      'missing',
    ])
    expect(kinds([subscribed(2), ...publications(3, 9), ...publications(9, 20)])).toEqual(['duplicate'])
    expect(kinds([subscribed(2), ...publications(4, 4), ...publications(3, 3), ...publications(5, 20)])).toEqual([
      'missing',
      'disorder',
    ])
    expect(kinds([subscribed(18), { kind: 'publication', offset: 19, data: 'p18' }, ...publications(20, 20)])).toEqual(['forged'])
    expect(kinds([subscribed(18), { kind: 'publication', offset: 19, data: 'nobody' }])).toEqual(['forged'])
    expect(kinds(publications(1, 1))).toEqual(['disorder'])
  })

  it('asks for a reason when something is said to be lost', () => {
    const lostAfter = (offset: number): Told[] => [
      subscribed(0),
      ...publications(1, offset),
      subscribed(13, { recovered: false }),
    ]
    expect(kinds(lostAfter(8))).toEqual(['dishonest'])
    expect(kinds(lostAfter(4))).toEqual([])
    expect(kinds(lostAfter(8), { ...STREAM, historyBytes: 100 })).toEqual([])
    expect(kinds(lostAfter(8), { recovery: 'none' })).toEqual([])
    expect(kinds(lostAfter(8), { recovery: 'latest' })).toEqual(['dishonest'])
    expect(kinds([subscribed(3), subscribed(5, { wasRecovering: false })])).toEqual(['dishonest', 'dishonest'])
  })

  it('lets another epoch begin anew, but not go on', () => {
    expect(kinds([subscribed(9), subscribed(2, { recovered: false, epoch: 'other' })])).toEqual([])
    expect(kinds([subscribed(9), subscribed(9, { recovered: true, epoch: 'other' })])).toEqual(['dishonest'])
  })

  it('lets the newest make up for all before it where that is the rule', () => {
    const newest = [subscribed(2), ...publications(2, 5), subscribed(12, { recovered: true }), ...publications(12, 14)]
    expect(kinds(newest, { recovery: 'latest' })).toEqual([])
    expect(kinds(newest)).toEqual(['disorder', 'missing'])
    expect(kinds([subscribed(2), ...publications(3, 5)], { recovery: 'latest' })).toEqual(['missing'])
    const nothing = [subscribed(2), ...publications(2, 5), subscribed(12, { recovered: true }), ...publications(13, 14)]
    expect(kinds(nothing, { recovery: 'latest' })).toEqual(['missing'])
  })
})

describe('the journal', () => {
  it('holds each publication in one place, and each place for one publication', () => {
    const book = new Journal()
    for (const data of ['a', 'b']) book.begin(data)
    book.acknowledge({ epoch: EPOCH, offset: 2 }, 'a')
    expect(() => book.see({ epoch: EPOCH, offset: 3 }, 'a')).toThrow('published twice')
    expect(() => book.see({ epoch: EPOCH, offset: 2 }, 'b')).toThrow('and also')
    expect(() => book.see({ epoch: EPOCH, offset: 4 }, 'c')).toThrow('nobody has published')
    expect(book.unknown(EPOCH, 3)).toEqual([1, 3])
    expect([book.last, book.acknowledged]).toEqual([2, 1])
  })
})
