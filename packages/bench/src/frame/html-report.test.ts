import { expect, it } from 'vitest'
import { type Environment, environmentLines, readEnvironment } from './environment.ts'
import { htmlReport } from './html-report.ts'
import type { ScenarioResult } from './results.ts'
import type { Measured } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'
import type { Target } from './targets.ts'
import { judge } from './verdict.ts'

const environment: Environment = {
  command: 'npm run bench -- fan-out --case "a&b"',
  time: '2026-01-02T03:04:05.678Z',
  node: 'v26.0.0',
  platform: 'linux x64',
  cores: 2,
  cpu: 'A <fast> one',
  isPinned: true,
}

const row = (candidate: string, size: number, rate: number | undefined): Measured => ({
  trial: {
    case: `plain, ${size}`,
    size,
    candidate,
    description: 'does "it"',
    open: () => Promise.reject(new Error('is not measured here')),
  },
  samples: [{ rate }],
})

const target = (atLeast: number): Target => ({
  title: `at least ${atLeast}`,
  scenario: 's',
  case: 'plain',
  candidate: 'fusewire',
  measure: 'rate',
  against: 'bare',
  atLeast,
})

const resultOf = (measured: readonly Measured[], more: Partial<Scenario> = {}): ScenarioResult => ({
  scenario: {
    name: 's',
    summary: 'what < is measured',
    measures: [{ name: 'rate', title: 'things/s', digits: 0, isMoreBetter: true }],
    main: 'rate',
    rounds: 1,
    takes: [],
    plan: () => [],
    ...more,
  },
  rounds: 1,
  measured,
  verdicts: judge([target(0.5), target(0.9)], 's', measured),
})

it('says with what command, when and on what was measured', () => {
  const html = htmlReport([], environment)
  for (const text of [
    'npm run bench -- fan-out --case &quot;a&amp;b&quot;',
    '2026-01-02 03:04 UTC',
    'v26.0.0',
    '2 × A &lt;fast&gt; one',
  ])
    expect(html).toContain(text)
})

it('shows targets with pass or FAIL, the values, and their ratio to the first of the case', () => {
  const html = htmlReport([resultOf([row('bare', 1, 1000), row('fusewire', 1, 800)])], environment)
  expect(html).toContain('1 of 2 are met.')
  expect(html).toContain('<td class="pass">pass</td>')
  expect(html).toContain('<td class="fail">FAIL</td>')
  expect(html).toContain('<i style="width:80.0%"></i>')
  expect(html).toContain('×0.80')
  expect(html).toContain('things/s, more is better')
})

it('draws growth as a line for each candidate', () => {
  const rows = [row('bare', 10, 5), row('fusewire', 10, 6), row('bare', 1000, 7), row('fusewire', 1000, 8)]
  const html = htmlReport([resultOf(rows, { isGrowth: true })], environment)
  for (const candidate of ['bare', 'fusewire']) expect(html).toMatch(new RegExp(`<text[^>]*>${candidate}</text>`, 'u'))
  expect(html.match(/stroke="var\(--own\)"/gu)?.length).toBeGreaterThan(0)
})

it('has a place for what the system does not tell', () => {
  expect(htmlReport([resultOf([row('external', 1, undefined)])], environment)).toContain('unknown')
})

it('loads nothing and runs no script', () => {
  const html = htmlReport([resultOf([row('bare', 1, 1000), row('fusewire', 1, 800)])], environment)
  expect(html).not.toMatch(/<script|\bsrc=|\bhref=|url\(|@import/u)
})

it('tells the command as it was typed', () => {
  expect(readEnvironment([], false).command).toBe('npm run bench')
  expect(environmentLines(readEnvironment(['echo', '--rounds', '3'], false))[0]).toBe('npm run bench -- echo --rounds 3')
})
