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
 * Measures, and once more what misses a target by much: whole cases, to be fair. For such a target the second time counts; what has
 * been shown already is not to be shown again, so that only what is missed twice is broken.
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
  const again = judge(targets, scenario, second)
  return {
    measured: first.map((row) => second.find(({ trial }) => trial === row.trial) ?? row),
    verdicts: verdicts.map((verdict) =>
      verdict.isBroken
        ? (again.find((other) => other.target === verdict.target && other.case === verdict.case) ?? verdict)
        : verdict,
    ),
  }
}
