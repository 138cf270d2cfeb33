import { expect, it } from 'vitest'
import { type Measured, valuesOf } from './run-scenario.ts'
import type { Trial } from './scenario.ts'
import { withSecondTry } from './second-try.ts'
import type { Target } from './targets.ts'

const trialOf = (name: string, candidate: string): Trial => ({
  case: name,
  candidate,
  description: '',
  open: () => Promise.reject(new Error('is not measured here')),
})

const TRIALS = ['plain', 'tls'].flatMap((name) => ['peer', 'own'].map((candidate) => trialOf(name, candidate)))

const target = (measure: string, name: string): Target => ({
  title: `${name}: ${measure}`,
  scenario: 's',
  case: name,
  candidate: 'own',
  against: 'peer',
  measure,
  atLeast: 1,
})

const TARGETS = [target('rate', 'plain'), target('rate', 'tls'), target('other', 'plain')]

/** Each time the next samples of our own, by case; the peer's are always 1. What has been measured is told as well. */
const tryWith = async (...tries: readonly Readonly<Record<string, { rate: number; other: number }>>[]) => {
  const measuredCases: string[][] = []
  const measure = async (trials: readonly Trial[]): Promise<readonly Measured[]> => {
    const own = tries[measuredCases.length]
    measuredCases.push(trials.map((trial) => `${trial.case} ${trial.candidate}`))
    return trials.map((trial) => ({
      trial,
      samples: [trial.candidate === 'own' ? (own?.[trial.case] ?? {}) : { rate: 1, other: 1 }],
    }))
  }
  const { measured, verdicts } = await withSecondTry(TARGETS, 's', TRIALS, measure)
  return {
    measuredCases,
    broken: verdicts.filter(({ isBroken }) => isBroken).map(({ target: { title } }) => title),
    values: verdicts.map(({ value }) => value),
    rates: measured.filter(({ trial }) => trial.candidate === 'own').map((row) => valuesOf(row, 'rate')),
  }
}

const GOOD = { rate: 1, other: 1 }

it('measures once where nothing is missed by much', async () => {
  const { measuredCases, broken } = await tryWith({ plain: { rate: 0.9, other: 1 }, tls: GOOD })
  expect(measuredCases).toEqual([['plain peer', 'plain own', 'tls peer', 'tls own']])
  expect(broken).toEqual([])
})

it('measures the whole case once more, and alone, where a target is missed by much, and then shows the medians of both', async () => {
  const { measuredCases, broken, rates, values } = await tryWith({ plain: { rate: 0.5, other: 1 }, tls: GOOD }, { plain: GOOD })
  expect(measuredCases.slice(1)).toEqual([['plain peer', 'plain own']])
  expect(broken).toEqual([])
  expect(rates).toEqual([[0.5, 1], [1]])
  expect(values).toEqual([0.75, 1, 1])
})

it('is broken by what is missed twice, and never measures a third time', async () => {
  const bad = { plain: { rate: 0.5, other: 1 }, tls: GOOD }
  const { measuredCases, broken } = await tryWith(bad, bad)
  expect(measuredCases).toHaveLength(2)
  expect(broken).toEqual(['plain: rate'])
})

it('is not broken by two targets that are missed once each', async () => {
  const first = { plain: { rate: 0.5, other: 1 }, tls: GOOD }
  expect((await tryWith(first, { plain: { rate: 1.1, other: 0.1 } })).broken).toEqual([])
})
