import type { OpenTrial, Sample, Trial } from './scenario.ts'
import { median } from './statistics.ts'

/** The trials in their order, as many at a time as have at most so many connections together, and one at least. */
export const groupsWithin = (trials: readonly Trial[], mostConnections: number): readonly (readonly Trial[])[] => {
  const groups: Trial[][] = []
  let taken = 0
  for (const trial of trials) {
    const { connections = 0 } = trial
    if (groups.length === 0 || taken + connections > mostConnections) {
      groups.push([])
      taken = 0
    }
    groups.at(-1)?.push(trial)
    taken += connections
  }
  return groups
}

/** Called before a trial is opened, and before each of its measurements. */
export type OnStep = (trial: Trial, step: 'open' | 'measure') => void

/**
 * Has the trials up at the same time and measures them by turns, A B A B, each in so many windows. What the machine does meanwhile hits
 * all alike that way, while a server that is measured a moment later may find another machine. The sample of each trial is the medians of
 * its windows, in the order of the trials.
 */
export const measureSideBySide = async (
  trials: readonly Trial[],
  windows: number,
  onStep: OnStep,
): Promise<readonly Sample[]> => {
  const sides: Side[] = []
  try {
    for (const trial of trials) {
      onStep(trial, 'open')
      sides.push({ trial, open: await named(trial, trial.open), samples: [] })
    }
    for (let window = 0; window < windows; window++)
      for (const { trial, open, samples } of sides) {
        onStep(trial, 'measure')
        samples.push(await named(trial, open.measure))
      }
  } finally {
    // Whatever is wrong with an end, what was wrong before it is to be heard.
    await Promise.allSettled(sides.map(({ open }) => open.close()))
  }
  return sides.map(({ samples }) => medianSample(samples))
}

interface Side {
  readonly trial: Trial
  readonly open: OpenTrial
  readonly samples: Sample[]
}

/** What fails says of which trial. */
const named = async <Result>(trial: Trial, work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work()
  } catch (error) {
    throw new Error(`${trial.case}, ${trial.candidate}: ${(error as Error).message}`, { cause: error })
  }
}

/** Of each measure the median of the windows that know it. */
const medianSample = (samples: readonly Sample[]): Sample => {
  const names = new Set(samples.flatMap((sample) => Object.keys(sample)))
  const valuesOf = (name: string): readonly number[] =>
    samples.map((sample) => sample[name]).filter((value) => value !== undefined)
  return Object.fromEntries(
    [...names].map((name) => {
      const values = valuesOf(name)
      return [name, values.length === 0 ? undefined : median(values)]
    }),
  )
}
