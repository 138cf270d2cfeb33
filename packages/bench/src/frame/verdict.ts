import { type Measured, ratiosOf, valuesOf } from './run-scenario.ts'
import { median, medianInterval } from './statistics.ts'
import type { Target } from './targets.ts'
import { cell, type Table, textTable } from './text-table.ts'

/** Undecided where one end of the {@link Verdict.interval} reaches the target and the other does not: more rounds would tell. */
export type Outcome = 'pass' | 'FAIL' | 'undecided'

/** A target and what one case has shown of it. */
export interface Verdict {
  readonly target: Target
  readonly case: string
  /** Median of what is compared; NaN where the system does not tell it. */
  readonly value: number
  /** Where the median would lie after many more rounds; undefined of too few rounds to say. */
  readonly interval: readonly [lower: number, upper: number] | undefined
  readonly outcome: Outcome
  /** True where it is missed by so much that it is no noise: a ratio below {@link TOLERANCE} of its target. */
  readonly isBroken: boolean
}

/** A short run on a machine with other work must not fail for its noise. */
export const TOLERANCE = 0.8

const reaches = (
  { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY }: Target,
  value: number,
  tolerance: number,
): boolean => value >= atLeast * tolerance && value <= atMost / tolerance

const outcomeOf = (target: Target, value: number, [lower, upper]: readonly [number, number] = [value, value]): Outcome => {
  const isMet = reaches(target, lower, 1)
  if (isMet !== reaches(target, upper, 1)) return 'undecided'
  return isMet ? 'pass' : 'FAIL'
}

/** Judges what a scenario has measured; targets of cases and candidates that were not measured are left out. */
export const judge = (targets: readonly Target[], scenario: string, measured: readonly Measured[]): readonly Verdict[] =>
  targets
    .filter((target) => target.scenario === scenario)
    .flatMap((target) =>
      measured
        .filter(({ trial }) => trial.candidate === target.candidate && trial.case.startsWith(target.case))
        .flatMap((row) => {
          const reference = measured.find(({ trial }) => trial.candidate === target.against && trial.case === row.trial.case)
          if (target.against !== undefined && !reference) return []
          const values = reference ? ratiosOf(row, reference, target.measure) : valuesOf(row, target.measure)
          const [value, interval] = [median(values), medianInterval(values)]
          return [
            {
              target,
              case: row.trial.case,
              value,
              interval,
              outcome: outcomeOf(target, value, interval),
              isBroken: !reaches(target, value, TOLERANCE),
            },
          ]
        }),
    )

const limitOf = ({ atLeast, atMost, unit = '' }: Target): string =>
  `${atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`} ${unit}`.trimEnd()

export const verdictCells = (verdicts: readonly Verdict[]): Table => ({
  header: ['target', 'case', 'is to be', 'is', 'nine times out of ten', ''],
  rows: verdicts.map(({ target, case: name, value, interval, outcome }) => [
    target.title,
    name,
    limitOf(target),
    cell(value, 2) || 'unknown',
    interval ? interval.map((end) => cell(end, 2)).join('–') : '',
    outcome,
  ]),
  leftColumns: 2,
})

export const verdictTable = (verdicts: readonly Verdict[]): string => textTable(verdictCells(verdicts))
