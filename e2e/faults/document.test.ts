import { describe, expect, it } from 'vitest'
import { judgeDocument } from './document.ts'
import { Journal } from './journal.ts'
import type { Told } from './told.ts'

const PATCHES = [{ a: 1, b: { c: 1 } }, { b: { d: 2 } }, { a: null }, { e: [1] }]
const DOCUMENTS = [{ a: 1, b: { c: 1 } }, { a: 1, b: { c: 1, d: 2 } }, { b: { c: 1, d: 2 } }, { b: { c: 1, d: 2 }, e: [1] }]

const journal = new Journal()
for (const [index, patch] of PATCHES.entries()) {
  journal.begin(patch)
  journal.acknowledge({ epoch: 'e', offset: index + 1 }, patch)
}

const subscribed = (offset: number, document?: unknown, recovered = false): Told => ({
  kind: 'subscribed',
  position: { epoch: 'e', offset },
  wasRecovering: true,
  recovered,
  document,
})
const patched = (offset: number): Told => ({ kind: 'publication', offset, data: PATCHES[offset - 1], patch: true })

describe('the judge of a document', () => {
  it('takes what the patches make, from nothing, from a document, and over a recovery', () => {
    expect(judgeDocument([subscribed(0), patched(1), patched(2), patched(3), patched(4)], journal)).toEqual([])
    expect(judgeDocument([subscribed(2, DOCUMENTS[1]), patched(3), subscribed(4, undefined, true), patched(4)], journal)).toEqual(
      [],
    )
    expect(judgeDocument([subscribed(1, DOCUMENTS[0]), subscribed(4, DOCUMENTS[3])], journal)).toEqual([])
  })

  it('takes nothing else', () => {
    expect(judgeDocument([subscribed(2, DOCUMENTS[0]), patched(3), patched(4)], journal)).toMatchObject([{ kind: 'forged' }])
    expect(judgeDocument([subscribed(2, DOCUMENTS[1]), patched(4)], journal)).toMatchObject([{ kind: 'forged' }])
  })
})
