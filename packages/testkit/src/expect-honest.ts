import type { Position, Publication, Subscribed } from '@fusewire/protocol'
import { expect } from 'vitest'
import type { Entry, Journal } from './journal.ts'

/** What a client is told of an entry, and no more. */
export const plain = ({ offset, data }: Entry | Publication): { offset: number; data: unknown } => ({ offset, data })

/** Whether a `subscribed` gives what the rule's recovery mode promises, and says that something is missing only when it is. */
export const expectHonest = (
  journal: Journal,
  { channel, position, recovered, publications = [], document }: Subscribed,
  since: Position | 'nowhere' | undefined,
  filter: string | undefined,
): void => {
  const { recovery, historySize, state } = journal.rule
  const isComparable = typeof since === 'object' && since.epoch === position.epoch && since.offset <= position.offset
  const missed = isComparable ? position.offset - since.offset : Number.POSITIVE_INFINITY
  const start = isComparable ? since : { epoch: position.epoch, offset: 0 }
  const wanted = journal.between(channel, start, position.offset, filter).map(plain)
  const given = publications.map(plain)
  expect(recovered === undefined).toBe(since === undefined)
  if (state && !recovered) expect(document).toEqual(journal.document(channel, position))
  else expect(document).toBe(undefined)
  if (recovery === 'latest') {
    const newest = wanted.slice(-1)
    const isKept = newest.every(({ offset }) => position.offset - offset < historySize)
    if (recovered === false) {
      expect(given).toEqual([])
      expect(missed).toBeGreaterThan(historySize)
      expect(newest.length > 0 && isKept).toBe(false)
    } else if (recovered) expect(given).toEqual(newest)
    else expect(given).toEqual(isKept ? newest : [])
    return
  }
  // Of an interrupted subscription the server knows how far it has got, also in what its filter has passed over.
  if (recovery === 'none' && recovered) expect(wanted).toEqual([])
  if (recovery === 'none' && recovered === false) expect(missed).toBeGreaterThan(0)
  if (recovery === 'stream' && recovered === false) expect(missed).toBeGreaterThan(historySize)
  expect(given).toEqual(recovered ? wanted : [])
}
