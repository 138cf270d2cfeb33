import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { OBSERVABILITY_FILE } from '../../../../scripts/observability-docs.ts'

const ROOT = new URL('../../../../', import.meta.url)

const metricsIn = (page: string): string[] => [...page.matchAll(/\bfusewire_[a-z0-9_]*[a-z0-9]\b/gu)].map(([name]) => name)

/** `docs/observability.md` is made from the metrics themselves. */
const known = new Set(metricsIn(readFileSync(OBSERVABILITY_FILE, 'utf8')))

it.each(globSync(['*.md', 'docs/*.md', 'spec/*.md'], { cwd: ROOT }))('%s names metrics that are there', (path) => {
  const named = metricsIn(readFileSync(new URL(path, ROOT), 'utf8'))
  expect(named.filter((name) => !known.has(name))).toEqual([])
})
