import { expect, it } from 'vitest'
import { ratiosOf, runScenario, valuesOf } from './run-scenario.ts'
import type { Scenario, Trial } from './scenario.ts'

it('measures the candidates of a case by turns, and compares them round by round', async () => {
  const order: string[] = []
  const trial = (candidate: string, value: number): Trial => ({
    case: 'one',
    candidate,
    description: '',
    measure: async () => {
      order.push(candidate)
      return { rate: value * order.length, unknown: undefined }
    },
  })
  const trials = [trial('a', 1), trial('b', 2)]
  const scenario: Scenario = { name: 's', summary: '', measures: [], main: 'rate', rounds: 2, takes: [], plan: () => trials }
  const shares: number[] = []
  const [a, b] = await runScenario(scenario, trials, 2, (share) => shares.push(share))
  expect(order).toEqual(['a', 'b', 'b', 'a'])
  expect(shares).toEqual([0, 0.25, 0.5, 0.75])
  if (!a || !b) throw new Error('two were measured')
  expect([valuesOf(a, 'rate'), valuesOf(b, 'rate'), valuesOf(a, 'unknown')]).toEqual([[1, 4], [4, 6], []])
  expect(ratiosOf(b, a, 'rate')).toEqual([4, 1.5])
})
