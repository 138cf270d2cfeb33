import type { Measured } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'
import { median, middleHalf } from './statistics.ts'
import type { Verdict } from './verdict.ts'

/** What one scenario has given. */
export interface ScenarioResult {
  readonly scenario: Scenario
  readonly rounds: number
  readonly measured: readonly Measured[]
  readonly verdicts: readonly Verdict[]
}

/** The results as plain data, with every single sample. */
export const resultsAsJson = (results: readonly ScenarioResult[], environment: object): string =>
  JSON.stringify(
    {
      ...environment,
      scenarios: results.map(({ scenario, rounds, measured, verdicts }) => ({
        name: scenario.name,
        rounds,
        trials: measured.map(({ trial, samples }) => ({
          case: trial.case,
          ...(trial.size !== undefined && { size: trial.size }),
          candidate: trial.candidate,
          description: trial.description,
          samples,
          summary: Object.fromEntries(
            scenario.measures.map(({ name }) => {
              const values = samples.map((sample) => sample[name]).filter((value) => value !== undefined)
              return [name, { median: median(values), middleHalf: middleHalf(values) }]
            }),
          ),
        })),
        targets: verdicts.map(({ target, case: name, value, interval, outcome }) => ({
          title: target.title,
          case: name,
          value,
          ...(interval && { interval }),
          outcome,
        })),
      })),
    },
    null,
    2,
  )
