import { describe, expect, it } from 'vitest'
import { HeldPublications } from './held-publications.ts'

const at = (offset: number, epoch = 'e'): { epoch: string; offset: number } => ({ epoch, offset })
const publication = (offset: number) => ({ offset, data: offset, time: 1 })
const holding = (offsets: readonly number[], epoch = 'e'): HeldPublications => {
  const held = new HeldPublications()
  for (const offset of offsets) held.hold(publication(offset), epoch)
  return held
}
const offsets = (held: HeldPublications, position: { epoch: string; offset: number }): number[] | undefined =>
  held.after(position)?.map(({ offset }) => offset)

describe('publications that are held while a history is read', () => {
  it('follow what was read', () => {
    expect(offsets(holding([3, 4, 5]), at(3))).toEqual([4, 5])
    expect(offsets(holding([3, 4, 5]), at(2))).toEqual([3, 4, 5])
    expect(offsets(holding([3]), at(9))).toEqual([])
    expect(offsets(holding([]), at(9))).toEqual([])
  })

  it('make it be read again when they do not reach to it, or have a gap', () => {
    expect(offsets(holding([3, 4]), at(1))).toBeUndefined()
    expect(offsets(holding([3, 5]), at(2))).toBeUndefined()
    expect(offsets(holding([3, 5]), at(4))).toEqual([5])
  })

  it('make it be read again when they are of another epoch, or when something may be missing', () => {
    expect(offsets(holding([3]), at(2, 'other'))).toBeUndefined()
    const held = holding([3])
    held.interrupt()
    held.hold(publication(4), 'e')
    expect(offsets(held, at(3))).toBeUndefined()
    held.restart()
    held.hold(publication(5), 'e')
    expect(offsets(held, at(4))).toEqual([5])
  })

  it('are whole until something of them is forgotten, or too much', () => {
    const held = holding([1])
    expect(held.isWhole).toBe(true)
    held.restart()
    expect(held.isWhole).toBe(false)
    const overrun = holding(Array.from({ length: 10_001 }, (_, n) => n + 1))
    expect([overrun.isOverrun, overrun.isWhole, overrun.after(at(0))]).toEqual([true, false, undefined])
  })
})
