import { groupBy } from './group-by.ts'
import type { Sample, Scenario, Trial } from './scenario.ts'
import { groupsWithin, measureSideBySide, type OnStep } from './side-by-side.ts'

/** A trial and what its measurements have given, one sample a round. */
export interface Measured {
  readonly trial: Trial
  readonly samples: readonly Sample[]
}

/** Says what is being measured, and how much of everything is done, from 0 to 1. */
export type OnProgress = (share: number, what: string) => void

export interface RunLimits {
  readonly rounds: number
  /** That candidates may have together while they are up side by side. */
  readonly mostConnections: number
}

/**
 * Measures the trials of each case round by round, side by side or one after the other as the scenario says. Every other round goes
 * backwards: whoever comes behind another always might find another machine.
 */
export const runScenario = async (
  scenario: Scenario,
  trials: readonly Trial[],
  { rounds, mostConnections }: RunLimits,
  onProgress: OnProgress,
): Promise<readonly Measured[]> => {
  const { windows = 1 } = scenario
  const samples = new Map<Trial, Sample[]>(trials.map((trial) => [trial, []]))
  const all = trials.length * rounds * windows
  let done = 0
  const onStep: OnStep = (trial, step) => {
    onProgress(done / all, `${scenario.name}: ${trial.case}: ${step === 'open' ? 'starting ' : ''}${trial.candidate}`)
    if (step === 'measure') done++
  }
  for (const inCase of groupBy(trials, (trial) => trial.case).values()) {
    const groups = windows > 1 ? groupsWithin(inCase, mostConnections) : inCase.map((trial) => [trial])
    for (let round = 0; round < rounds; round++)
      for (const group of round % 2 === 0 ? groups : groups.toReversed().map((some) => some.toReversed())) {
        const measured = await measureSideBySide(group, windows, onStep)
        for (const [index, sample] of measured.entries()) samples.get(group[index] as Trial)?.push(sample)
      }
  }
  return trials.map((trial) => ({ trial, samples: samples.get(trial) ?? [] }))
}

/** The values of a measure that are known. */
export const valuesOf = ({ samples }: Measured, measure: string): readonly number[] =>
  samples.map((sample) => sample[measure]).filter((value) => value !== undefined)

/** The ratios of two trials, round by round. */
export const ratiosOf = (measured: Measured, to: Measured, measure: string): readonly number[] =>
  measured.samples.flatMap((sample, round) => {
    const [value, reference] = [sample[measure], to.samples[round]?.[measure]]
    return value === undefined || reference === undefined ? [] : [value / reference]
  })
