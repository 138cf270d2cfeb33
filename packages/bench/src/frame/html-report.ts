import { type Environment, environmentLines } from './environment.ts'
import { escapeHtml } from './html.ts'
import { charts } from './html-charts.ts'
import { STYLE } from './html-style.ts'
import type { ScenarioResult } from './results.ts'
import { scenarioCells, scenarioNotes } from './scenario-table.ts'
import type { Table } from './text-table.ts'
import { type Outcome, type Verdict, verdictCells } from './verdict.ts'

const tableOf = ({ header, rows, leftColumns }: Table): string => {
  const cells = (tag: 'th' | 'td', line: readonly string[]): string =>
    line.map((text, column) => `<${tag}${column < leftColumns ? '' : ' class="number"'}>${escapeHtml(text)}</${tag}>`).join('')
  return `<div class="scroll"><table><thead><tr>${cells('th', header)}</tr></thead>
<tbody>${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('\n')}</tbody></table></div>`
}

const targets = (verdicts: readonly Verdict[]): string => {
  if (verdicts.length === 0) return ''
  const count = (wanted: Outcome): number => verdicts.filter(({ outcome }) => outcome === wanted).length
  const undecided = count('undecided')
  const table = tableOf(verdictCells(verdicts))
    .replaceAll('<td class="number">pass</td>', '<td class="pass">pass</td>')
    .replaceAll('<td class="number">FAIL</td>', '<td class="fail">FAIL</td>')
  return `<h2>Targets</h2>\n<p>${count('pass')} of ${verdicts.length} are met${undecided > 0 ? `, and of ${undecided} more rounds would tell` : ''}.</p>\n${table}`
}

const section = ({ scenario, rounds, measured }: ScenarioResult): string =>
  [
    `<h2>${escapeHtml(scenario.name)}</h2>`,
    `<p>${escapeHtml(scenario.summary)}. ${rounds === 1 ? 'Measured once.' : `Medians of ${rounds}.`}</p>`,
    ...charts(scenario, measured),
    tableOf(scenarioCells(scenario, measured)),
    ...scenarioNotes(scenario, measured).map((note) => `<p class="note">${escapeHtml(note)}</p>`),
  ].join('\n')

/** One page with everything, for light and dark: nothing is loaded from elsewhere, and no script is run. */
export const htmlReport = (results: readonly ScenarioResult[], environment: Environment): string => {
  const [command = '', ...lines] = environmentLines(environment)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Fusewire benchmark</title>
<style>${STYLE}</style>
<header>
<h1>Fusewire benchmark</h1>
<p><code>${escapeHtml(command)}</code></p>
<p class="note">${lines.map(escapeHtml).join(' · ')}</p>
</header>
${targets(results.flatMap(({ verdicts }) => verdicts))}
${results.map(section).join('\n')}
</html>
`
}
