import { groupBy } from './group-by.ts'
import type { Sample, Scenario, Trial } from './scenario.ts'

/** A trial and what its measurements have given, one sample a round. */
export interface Measured {
  readonly trial: Trial
  readonly samples: readonly Sample[]
}

/** Says what is being measured, and how much of everything is done, from 0 to 1. */
export type OnProgress = (share: number, what: string) => void

/**
 * Measures the trials of each case by turns, A B A B, so that whatever else the machine does hits all alike. Every other round goes
 * backwards: whoever comes behind another always might find another machine.
 */
export const runScenario = async (
  scenario: Scenario,
  trials: readonly Trial[],
  rounds: number,
  onProgress: OnProgress,
): Promise<readonly Measured[]> => {
  const samples = new Map<Trial, Sample[]>(trials.map((trial) => [trial, []]))
  const cases = groupBy(trials, (trial) => trial.case)
  let done = 0
  for (const [name, inCase] of cases)
    for (let round = 0; round < rounds; round++)
      for (const trial of round % 2 === 0 ? inCase : inCase.toReversed()) {
        onProgress(done++ / (trials.length * rounds), `${scenario.name}: ${name}: ${trial.candidate}`)
        samples.get(trial)?.push(await measureOnce(trial))
      }
  return trials.map((trial) => ({ trial, samples: samples.get(trial) ?? [] }))
}

const measureOnce = async (trial: Trial): Promise<Sample> => {
  try {
    return await trial.measure()
  } catch (error) {
    throw new Error(`${trial.case}, ${trial.candidate}: ${(error as Error).message}`, { cause: error })
  }
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
