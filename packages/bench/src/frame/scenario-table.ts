import { groupBy } from './group-by.ts'
import { type Measured, ratiosOf, valuesOf } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'
import { growthExponent, median, middleHalf } from './statistics.ts'
import { cell, type Table, textTable } from './text-table.ts'

/** Below this share of a core the server has waited for the load. */
const SATURATED = 0.9

/** The measure by which a scenario tells how busy the server was; 1 is one core. */
export const SERVER_CPU = { name: 'serverCpu', title: 'server CPU', digits: 2 } as const

/** Medians, the middle half of the main measure, and its ratio to the first candidate of the case. */
export const scenarioCells = ({ main, measures }: Scenario, measured: readonly Measured[]): Table => {
  const firsts = new Map<string, Measured>()
  const rows = measured.map((row) => {
    const { trial } = row
    const first = firsts.get(trial.case) ?? row
    firsts.set(trial.case, first)
    const digits = measures.find(({ name }) => name === main)?.digits ?? 0
    return [
      trial.case,
      trial.candidate,
      ...measures.map((measure) => cell(median(valuesOf(row, measure.name)), measure.digits)),
      middleHalf(valuesOf(row, main))
        .map((value) => cell(value, digits))
        .join('–'),
      cell(median(ratiosOf(row, first, main)), 2),
    ]
  })
  return { header: ['case', 'candidate', ...measures.map(({ title }) => title), 'middle half', 'of first'], rows, leftColumns: 2 }
}

/** What has to be said about a table. */
export const scenarioNotes = (scenario: Scenario, measured: readonly Measured[]): readonly string[] => {
  const { measures, isGrowth } = scenario
  const idle = measures.includes(SERVER_CPU) ? measured.filter((row) => median(valuesOf(row, SERVER_CPU.name)) < SATURATED) : []
  return [...(idle.length > 0 ? [unsaturated(idle)] : []), ...(isGrowth ? growthLines(scenario, measured) : [])]
}

/** The table and its notes for a terminal. */
export const scenarioTable = (scenario: Scenario, measured: readonly Measured[]): string => {
  const notes = scenarioNotes(scenario, measured)
  return [textTable(scenarioCells(scenario, measured)), ...(notes.length > 0 ? ['', ...notes] : [])].join('\n')
}

const unsaturated = (rows: readonly Measured[]): string => {
  const cases = [...groupBy(rows, ({ trial }) => trial.case)].map(
    ([name, inCase]) => `\n  ${name}: ${inCase.map(({ trial }) => trial.candidate).join(', ')}`,
  )
  return `Not saturated, so that the rate is that of the load, and the one by CPU time is what counts:${cases.join('')}`
}

const MIN_POINTS = 2

/** How the main measure of a scenario of growth grows with the size, for each kind of size and each candidate. */
const growthLines = ({ main, measures }: Scenario, measured: readonly Measured[]): readonly string[] => {
  const title = measures.find(({ name }) => name === main)?.title ?? main
  const kinds = groupBy(measured, ({ trial }) => `${trial.case.split(',')[0]}, ${trial.candidate}`)
  return [...kinds]
    .filter(([, rows]) => rows.length >= MIN_POINTS)
    .map(([kind, rows]) => {
      const points = rows.map((row) => ({ size: row.trial.size ?? Number.NaN, cost: median(valuesOf(row, main)) }))
      return `${kind}: ${title} grows with the size to the power of ${cell(growthExponent(points), 2)}; 0 is not at all`
    })
}
