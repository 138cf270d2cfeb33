import { HeldCalls, turn } from '@fusewire/testkit'
import { beforeEach, expect, it } from 'vitest'
import { Turns } from './turns.ts'

const ANN = {}
const BOB = {}

let turns: Turns
let held: HeldCalls
let begun: number[]
let work: (n: number) => () => Promise<number>

beforeEach(() => {
  turns = new Turns(2)
  held = new HeldCalls()
  begun = []
  const worker = held.of(
    {
      do: async (n: number): Promise<number> => {
        if (n < 0) throw new Error('failed')
        return n
      },
    },
    'do',
  )
  held.holding = 'answers'
  work = (n) => () => {
    begun.push(n)
    return worker.do(n)
  }
})

it('runs so much at a time of each owner, and the rest in its order', async () => {
  const results = [1, 2, 3, 4].map((n) => turns.run(ANN, work(n)))
  const other = turns.run(BOB, work(10))
  await turn()
  expect(begun).toEqual([1, 2, 10])
  held.holding = 'nothing'
  held.release()
  expect(await Promise.all([...results, other])).toEqual([1, 2, 3, 4, 10])
  expect(begun).toEqual([1, 2, 10, 3, 4])
  expect(turns.size).toBe(0)
})

it('goes on after work that fails, and forgets its owner all the same', async () => {
  held.holding = 'nothing'
  const outcomes = await Promise.allSettled([-1, -2, -3, 4].map((n) => turns.run(ANN, work(n))))
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'fulfilled'])
  expect(turns.size).toBe(0)
})
