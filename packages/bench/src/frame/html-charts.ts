import { groupBy } from './group-by.ts'
import { escapeHtml } from './html.ts'
import { logAxis } from './log-axis.ts'
import { type Measured, ratiosOf, valuesOf } from './run-scenario.ts'
import type { Measure, Scenario } from './scenario.ts'
import { median } from './statistics.ts'
import { cell } from './text-table.ts'

const WIDTH = 760
const HEIGHT = 340
/** Room for what stands beside the drawing. */
const SPACE = { left: 70, right: 150, top: 16, bottom: 46 }

/** The drawings of a scenario: bars for each case, or lines for each kind of growth. Colours are those of the page's style. */
export const charts = (scenario: Scenario, measured: readonly Measured[]): readonly string[] => {
  const { main, measures, isGrowth } = scenario
  const measure = measures.find(({ name }) => name === main)
  if (!measure) return []
  const groups = groupBy(measured, ({ trial }) => (isGrowth ? kindOf(trial.case) : trial.case))
  return [...groups].map(([name, rows]) => figure(name, measure, isGrowth ? lines(measure, rows) : bars(measure, rows)))
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

/** Both axes are logarithmic: linear growth rises by one decade in one, and what does not grow is level. */
const lines = ({ name, title }: Measure, rows: readonly Measured[]): string => {
  const points = rows
    .map((row) => ({ candidate: row.trial.candidate, size: row.trial.size ?? 0, value: median(valuesOf(row, name)) }))
    .filter(({ size, value }) => size > 0 && value > 0)
  const x = logAxis(
    points.map(({ size }) => size),
    SPACE.left,
    WIDTH - SPACE.right,
  )
  const y = logAxis(
    points.map(({ value }) => value),
    HEIGHT - SPACE.bottom,
    SPACE.top,
  )
  const grid = [
    ...x.ticks.map(
      (tick) =>
        `<path class="grid" d="M${x.at(tick)} ${SPACE.top}V${HEIGHT - SPACE.bottom}"/><text x="${x.at(tick)}" y="${HEIGHT - SPACE.bottom + 18}" text-anchor="middle">${tick.toLocaleString('en')}</text>`,
    ),
    ...y.ticks.map(
      (tick) =>
        `<path class="grid" d="M${SPACE.left} ${y.at(tick)}H${WIDTH - SPACE.right}"/><text x="${SPACE.left - 8}" y="${y.at(tick)}" dy=".35em" text-anchor="end">${tick.toLocaleString('en')}</text>`,
    ),
  ]
  const drawn = [...groupBy(points, ({ candidate }) => candidate)].map(([candidate, line]) => {
    const at = line.map(({ size, value }) => `${x.at(size)} ${y.at(value)}`)
    const last = line.at(-1)
    const dots = line.map(
      ({ size, value }) =>
        `<circle cx="${x.at(size)}" cy="${y.at(value)}" r="3.5"><title>${escapeHtml(candidate)}, ${size}: ${cell(value, 2)}</title></circle>`,
    )
    return `<g class="${isOwn(candidate) ? 'own' : 'peer'}"><path d="M${at.join('L')}"/>${dots.join('')}<text x="${x.at(last?.size ?? 1) + 9}" y="${y.at(last?.value ?? 1)}" dy=".35em">${escapeHtml(candidate)}</text></g>`
  })
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)} by size">${grid.join('')}${drawn.join('')}
<text x="${(SPACE.left + WIDTH - SPACE.right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">size</text></svg>`
}
