import { eventually } from '@fusewire/testkit'
import { describe, expect, it } from 'vitest'
import { MovingSlots, type SlotCall } from './moving-slots.ts'

const SLOT = 7

/** Calls that note when they are asked, and whether alone; `answers` are those that are got one by one. */
const recorder = (answers: boolean[]) => {
  const asked: string[] = []
  const call = (number: number): SlotCall => ({
    number,
    insist: async () => {
      asked.push(`${number} alone`)
      return answers.shift() ?? false
    },
    ask: () => asked.push(String(number)),
  })
  return { asked, call }
}

describe('calls of a slot that moves', () => {
  it('go one by one in the order in which they were made, and together once one is answered at once', async () => {
    const slots = new MovingSlots()
    const { asked, call } = recorder([false, true])
    let pass = (): void => undefined
    const passed = new Promise<void>((resolve) => {
      pass = resolve
    })
    slots.add(SLOT, call(2), () => passed)
    slots.add(SLOT, call(5), () => passed)
    // Refused after one had come that was made later.
    slots.add(SLOT, call(3), () => passed)
    slots.add(SLOT, call(4), () => passed)
    expect([slots.has(SLOT), slots.has(SLOT + 1), asked]).toEqual([true, false, []])
    pass()
    await eventually(() => !slots.has(SLOT))
    expect(asked).toEqual(['2 alone', '3 alone', '4', '5'])
  })

  it('are not held any more when none is left', async () => {
    const slots = new MovingSlots()
    const { asked, call } = recorder([false, false])
    slots.add(SLOT, call(1), async () => undefined)
    slots.add(SLOT, call(2), async () => undefined)
    await eventually(() => !slots.has(SLOT))
    expect(asked).toEqual(['1 alone', '2 alone'])
  })
})
