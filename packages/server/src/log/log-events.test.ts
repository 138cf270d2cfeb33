import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { OBSERVABILITY_FILE, observabilityPage } from '../../../../scripts/observability-docs.ts'
import { LOG_EVENTS } from './log-events.ts'

const ROOT = new URL('../../../../', import.meta.url)

const files = globSync('packages/{engine,server}/src/**/*.ts', {
  cwd: ROOT,
  exclude: ['**/*.test.ts', '**/testing/**', '**/log-events.ts'],
})
const code = files.map((file) => readFileSync(new URL(file, ROOT), 'utf8')).join('\n')

const described = new Map(LOG_EVENTS.flatMap(({ events }) => Object.entries(events)))

describe('the table of log events', () => {
  it('has every event that the code logs, and no others', () => {
    const logged = [...code.matchAll(/log\(\s*'(\w+)'/giu), ...code.matchAll(/'(http2_\w+)'/gu)].map(([, event]) => event)
    expect(logged.filter((event) => !described.has(event ?? ''))).toEqual([])
    expect([...described.keys()].filter((event) => !code.includes(`'${event}'`))).toEqual([])
  })

  it('has every field that is written out where an event is logged', () => {
    const missing = [...code.matchAll(/log\(\s*'(\w+)', \{([^}]*)\}/giu)].flatMap(([, event = '', details = '']) => {
      const keys = details
        .replaceAll(/\([^)]*\)/gu, '')
        .split(',')
        .flatMap((part) => /^\s*(\w+)/u.exec(part)?.[1] ?? [])
      const fields = keys.map((key) => (key === 'error' ? 'err' : key))
      return fields.filter((field) => !described.get(event)?.fields.includes(field)).map((field) => `${event}.${field}`)
    })
    expect(missing).toEqual([])
  })

  it('is in docs/observability.md, with the metrics', () => {
    const page = readFileSync(OBSERVABILITY_FILE, 'utf8')
    expect(page, 'docs/observability.md is out of date: run npm run docs').toBe(observabilityPage(page))
  })
})
