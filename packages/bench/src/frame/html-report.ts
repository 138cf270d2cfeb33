import { charts } from './chart.ts'
import type { ScenarioResult } from './results.ts'
import { scenarioTable } from './scenario-table.ts'
import { verdictTable } from './verdict.ts'

const escapeHtml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const STYLE =
  'body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em}pre{overflow-x:auto;background:#f6f6f6;padding:1em;font-size:12px}svg{max-width:100%;height:auto}'

const section = ({ scenario, rounds, measured }: ScenarioResult): string =>
  [
    `<h2>${escapeHtml(scenario.name)}</h2>`,
    `<p>${escapeHtml(scenario.summary)}. Medians of ${rounds}.</p>`,
    ...charts(scenario, measured),
    `<pre>${escapeHtml(scenarioTable(scenario, measured))}</pre>`,
  ].join('\n')

/** One page with everything: charts are inline SVG, and nothing is loaded from elsewhere. */
export const htmlReport = (results: readonly ScenarioResult[], environment: string): string =>
  `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Fusewire benchmark</title>
<style>${STYLE}</style>
<h1>Fusewire benchmark</h1>
<p>${escapeHtml(environment)}</p>
<pre>${escapeHtml(verdictTable(results.flatMap(({ verdicts }) => verdicts)))}</pre>
${results.map(section).join('\n')}
</html>
`
