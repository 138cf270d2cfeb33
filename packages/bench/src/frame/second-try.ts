import type { Measured } from './run-scenario.ts'
import type { Trial } from './scenario.ts'
import type { Target } from './targets.ts'
import { judge, type Verdict } from './verdict.ts'

/** What has been measured, and how it has been judged. */
export interface Judged {
  readonly measured: readonly Measured[]
  readonly verdicts: readonly Verdict[]
}

/**
 * Measures, and once more what misses a target by much: whole cases, to be fair. Values are the medians of both tries then, but a
 * target is broken only where each of them has missed it by much.
 */
export const withSecondTry = async (
  targets: readonly Target[],
  scenario: string,
  trials: readonly Trial[],
  measure: (trials: readonly Trial[]) => Promise<readonly Measured[]>,
): Promise<Judged> => {
  const first = await measure(trials)
  const verdicts = judge(targets, scenario, first)
  const cases = new Set(verdicts.filter(({ isBroken }) => isBroken).map((verdict) => verdict.case))
  if (cases.size === 0) return { measured: first, verdicts }
  const second = await measure(trials.filter((trial) => cases.has(trial.case)))
  const measured = first.map(({ trial, samples }) => ({
    trial,
    samples: [...samples, ...(second.find((row) => row.trial === trial)?.samples ?? [])],
  }))
  const tries = [verdicts, judge(targets, scenario, second)]
  const isBrokenTwice = ({ target, case: name }: Verdict): boolean =>
    tries.every((one) => one.some((verdict) => verdict.isBroken && verdict.target === target && verdict.case === name))
  return {
    measured,
    verdicts: judge(targets, scenario, measured).map((verdict) => ({ ...verdict, isBroken: isBrokenTwice(verdict) })),
  }
}
