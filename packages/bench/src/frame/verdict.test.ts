import { expect, it } from 'vitest'
import type { Measured } from './run-scenario.ts'
import type { Target } from './targets.ts'
import { judge, verdictTable } from './verdict.ts'

const measured = (candidate: string, name: string, values: readonly (number | undefined)[]): Measured => ({
  trial: { case: name, candidate, description: '', open: () => Promise.reject(new Error('is not measured here')) },
  samples: values.map((value) => ({ rate: value })),
})

const target: Target = {
  title: 't',
  scenario: 's',
  case: 'plain',
  candidate: 'own',
  measure: 'rate',
  against: 'peer',
  atLeast: 2,
}

const judged = (own: readonly (number | undefined)[], peer: readonly number[], of: Target = target) =>
  judge([of], 's', [measured('peer', 'plain, 1', peer), measured('own', 'plain, 1', own)]).map(
    ({ value, outcome, isBroken }) => [value, outcome, isBroken] as const,
  )

it('takes the median of the ratios of single rounds', () => {
  expect(judged([20, 30, 4], [10, 10, 1])).toEqual([[3, 'pass', false]])
})

it('is broken below 0.8 of the target, and only missed above that', () => {
  expect(judged([1.9], [1])).toEqual([[1.9, 'FAIL', false]])
  expect(judged([1.5], [1])).toEqual([[1.5, 'FAIL', true]])
})

it('decides only where the rounds do: both ends of what the median may be are on one side of the target', () => {
  const rounds = (...own: number[]) => judged(own, [1, 1, 1, 1, 1])
  expect(rounds(2.1, 2.2, 2.3, 2.4, 2.5)).toEqual([[2.3, 'pass', false]])
  expect(rounds(1.9, 2.2, 2.3, 2.4, 2.5)).toEqual([[2.3, 'undecided', false]])
  expect(rounds(1.5, 1.6, 1.7, 1.8, 2.5)).toEqual([[1.7, 'undecided', false]])
  expect(rounds(1.5, 1.6, 1.7, 1.8, 1.9)).toEqual([[1.7, 'FAIL', false]])
})

it('knows targets that are not to be exceeded, and those that are no ratio', () => {
  const { atLeast, against, ...rest } = target
  expect([atLeast, against]).toEqual([2, 'peer'])
  const limit = { ...rest, atMost: 10 }
  expect([judged([10], [1], limit), judged([12], [1], limit), judged([13], [1], limit)]).toEqual([
    [[10, 'pass', false]],
    [[12, 'FAIL', false]],
    [[13, 'FAIL', true]],
  ])
})

it('is broken by what could not be measured, and silent about what was not', () => {
  expect(judged([undefined], [1])).toEqual([[Number.NaN, 'FAIL', true]])
  expect(judge([target], 's', [measured('own', 'plain', [1])])).toEqual([])
  expect(judge([target], 's', [measured('own', 'tls', [1]), measured('peer', 'tls', [1])])).toEqual([])
  expect(judge([target], 'other', [measured('own', 'plain', [1]), measured('peer', 'plain', [1])])).toEqual([])
})

it('prints what is to be, and what is', () => {
  const table = (...own: number[]) =>
    verdictTable(judge([target], 's', [measured('peer', 'plain', [1, 1, 1, 1, 1]), measured('own', 'plain', own)]))
  expect(table(3)).toMatch(/≥ 2 {2}3\.00 +pass/)
  expect(table(1, 2, 3, 4, 5)).toMatch(/≥ 2 {2}3\.00 +1\.00–5\.00 {2}undecided/)
})
