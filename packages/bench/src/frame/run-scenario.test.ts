import { expect, it } from 'vitest'
import { ratiosOf, runScenario, valuesOf } from './run-scenario.ts'
import type { Scenario, Trial } from './scenario.ts'

/** What has been done in which order, and trials that tell it, each with these rates one after the other. */
const recorded = (names: readonly string[], more: Partial<Trial> = {}, rates: readonly number[] = [1, 2, 9, 4, 5, 30]) => {
  const order: string[] = []
  const trials = names.map((candidate) => ({
    case: 'one',
    candidate,
    description: '',
    ...more,
    open: async () => {
      order.push(`open ${candidate}`)
      return {
        measure: async () => {
          order.push(candidate)
          return { rate: rates[order.filter((done) => done === candidate).length - 1], unknown: undefined }
        },
        close: async () => void order.push(`close ${candidate}`),
      }
    },
  }))
  return { order, trials }
}

const scenarioOf = (trials: readonly Trial[], windows?: number): Scenario => ({
  name: 's',
  summary: '',
  measures: [],
  main: 'rate',
  rounds: 2,
  ...(windows !== undefined && { windows }),
  takes: [],
  plan: () => trials,
})

const LIMITS = { rounds: 2, mostConnections: 100 }

it('measures the candidates of a case by turns, each by itself, and compares them round by round', async () => {
  const { order, trials } = recorded(['a', 'b'])
  const shares: number[] = []
  const [a, b] = await runScenario(scenarioOf(trials), trials, LIMITS, (share) => shares.push(share))
  const alone = (name: string): string[] => [`open ${name}`, name, `close ${name}`]
  expect(order).toEqual([...alone('a'), ...alone('b'), ...alone('b'), ...alone('a')])
  expect(shares).toEqual([0, 0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75])
  if (!a || !b) throw new Error('two were measured')
  expect([valuesOf(a, 'rate'), valuesOf(b, 'rate'), valuesOf(a, 'unknown')]).toEqual([[1, 2], [1, 2], []])
  expect(ratiosOf(b, a, 'rate')).toEqual([1, 1])
})

it('goes backwards in every other round, and says what begins and what is measured', async () => {
  const { order, trials } = recorded(['a', 'b'])
  const steps: string[] = []
  await runScenario(scenarioOf(trials), trials, { ...LIMITS, rounds: 5 }, (_share, what) => steps.push(what))
  expect(order.filter((done) => !done.includes(' ')).join('')).toBe('abbaabbaab')
  expect(steps.slice(0, 3)).toEqual(['s: one: starting a', 's: one: a', 's: one: starting b'])
})

it('compares two in the rounds alone in which both are known', () => {
  const [trial] = recorded(['a']).trials
  if (!trial) throw new Error('one was made')
  const some = { trial, samples: [{ rate: 6 }, {}, { rate: 2 }] }
  const others = { trial, samples: [{ rate: 3 }, { rate: 1 }] }
  expect([ratiosOf(some, others, 'rate'), ratiosOf(others, some, 'rate')]).toEqual([[2], [0.5]])
})

it('has them up side by side where a round has windows, and tells the median of those', async () => {
  const { order, trials } = recorded(['a', 'b'])
  const shares: number[] = []
  const [a, b] = await runScenario(scenarioOf(trials, 3), trials, LIMITS, (share) => shares.push(share))
  expect(order.slice(0, 10)).toEqual(['open a', 'open b', 'a', 'b', 'a', 'b', 'a', 'b', 'close a', 'close b'])
  expect(order.slice(10, 14)).toEqual(['open b', 'open a', 'b', 'a'])
  expect(shares.slice(0, 5)).toEqual([0, 0, 0, 1 / 12, 2 / 12])
  if (!a || !b) throw new Error('two were measured')
  expect([valuesOf(a, 'rate'), valuesOf(b, 'rate'), valuesOf(a, 'unknown')]).toEqual([[2, 5], [2, 5], []])
})

it('has as many up at a time as there can be open files for, and the same together in every round', async () => {
  const { order, trials } = recorded(['a', 'b', 'c'], { connections: 50 })
  await runScenario(scenarioOf(trials, 2), trials, LIMITS, () => {})
  const alone = ['open c', 'c', 'c', 'close c']
  const together = (one: string, other: string): string[] => [
    ...[`open ${one}`, `open ${other}`],
    ...[one, other, one, other],
    ...[`close ${one}`, `close ${other}`],
  ]
  expect(order).toEqual([...together('a', 'b'), ...alone, ...alone, ...together('b', 'a')])
})

it('has as many up in the groups behind the first', async () => {
  const { order, trials } = recorded(['a', 'b', 'c', 'd'], { connections: 50 })
  await runScenario(scenarioOf(trials, 2), trials, { ...LIMITS, rounds: 1 }, () => {})
  expect(order.slice(8, 10)).toEqual(['open c', 'open d'])
})

it('has one up where even that has more connections than there can be', async () => {
  const { order, trials } = recorded(['a', 'b'], { connections: 101 })
  await runScenario(scenarioOf(trials, 2), trials, { ...LIMITS, rounds: 1 }, () => {})
  expect(order).toEqual(['open a', 'a', 'a', 'close a', 'open b', 'b', 'b', 'close b'])
})

it('compares with the other, and not the other with it', async () => {
  const [one, other] = [recorded(['a']).trials, recorded(['b'], {}, [4, 3]).trials]
  const [a, b] = await runScenario(scenarioOf([]), [...one, ...other], LIMITS, () => {})
  if (!a || !b) throw new Error('two were measured')
  expect(ratiosOf(b, a, 'rate')).toEqual([4, 1.5])
})

it.each(['open', 'measure', 'close'] as const)('says what has failed to %s, and ends what is up', async (step) => {
  const { order, trials } = recorded(['a'])
  const fail = (): Promise<never> => Promise.reject(new Error('no port is free'))
  const working = { measure: async () => ({}), close: async () => undefined }
  const open = step === 'open' ? fail : async () => ({ ...working, ...(step === 'close' && { measure: fail }), [step]: fail })
  const both = [...trials, { ...(trials[0] as Trial), candidate: 'b', open }]
  await expect(runScenario(scenarioOf(both, 2), both, LIMITS, () => {})).rejects.toThrow('one, b: no port is free')
  expect([order[0], order.at(-1)]).toEqual(['open a', 'close a'])
})
