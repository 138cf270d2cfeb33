import { groupBy } from './group-by.ts'
import { growthChart } from './growth-chart.ts'
import { escapeHtml } from './html.ts'
import { type Measured, ratiosOf, valuesOf } from './run-scenario.ts'
import type { Measure, Scenario } from './scenario.ts'
import { median } from './statistics.ts'
import { cell } from './text-table.ts'

/** The drawings of a scenario: bars for each case, or lines for each kind of growth. Colours are those of the page's style. */
export const charts = (scenario: Scenario, measured: readonly Measured[]): readonly string[] => {
  const { main, measures, isGrowth } = scenario
  const measure = measures.find(({ name }) => name === main)
  if (!measure) return []
  const groups = groupBy(measured, ({ trial }) => (isGrowth ? kindOf(trial.case) : trial.case))
  return [...groups].map(([name, rows]) => figure(name, measure, isGrowth ? growthChart(measure, rows) : bars(measure, rows)))
}

const kindOf = (name: string): string => name.split(',')[0] ?? ''

const isOwn = (candidate: string): boolean => candidate.startsWith('fusewire')

const figure = (title: string, { title: unit, isMoreBetter = false }: Measure, drawing: string): string =>
  `<figure><figcaption>${escapeHtml(title)}<small>${escapeHtml(unit)}, ${isMoreBetter ? 'more' : 'less'} is better</small></figcaption>
${drawing}</figure>`

const bars = ({ name, digits }: Measure, rows: readonly Measured[]): string => {
  const medians = rows.map((row) => median(valuesOf(row, name)))
  const largest = Math.max(...medians.filter((value) => !Number.isNaN(value)))
  const [first] = rows
  const lineOf = (row: Measured, value: number): string => {
    const { candidate, description } = row.trial
    const ratio = first && row !== first ? cell(median(ratiosOf(row, first, name)), 2) : ''
    return `<tr${isOwn(candidate) ? ' class="own"' : ''}><th scope="row" title="${escapeHtml(description)}">${escapeHtml(candidate)}</th>
<td class="bar"><i style="width:${Math.max(0, (100 * value) / largest || 0).toFixed(1)}%"></i></td>
<td class="number">${cell(value, digits) || 'unknown'}</td><td class="number">${ratio && `×${ratio}`}</td></tr>`
  }
  const of = first && rows.length > 1 ? `of ${escapeHtml(first.trial.candidate)}` : ''
  return `<table class="bars"><thead><tr><td></td><td></td><td></td><td class="number">${of}</td></tr></thead>
<tbody>${rows.map((row, index) => lineOf(row, medians[index] ?? Number.NaN)).join('\n')}</tbody></table>`
}
