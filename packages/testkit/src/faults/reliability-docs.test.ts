import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { FAULT_KINDS } from './fault.ts'

const ROOT = new URL('../../../../', import.meta.url)
const page = readFileSync(new URL('docs/reliability.md', ROOT), 'utf8')
const rows = page.split('\n').filter((line) => /^\| (?!fault |---)/u.test(line))

describe('docs/reliability.md', () => {
  it('has a row for every fault of the proxy', () => {
    const faults = rows.flatMap((row) => /^\| `([\w-]+)`/u.exec(row)?.[1] ?? [])
    expect(new Set(faults)).toEqual(new Set(FAULT_KINDS))
  })

  it('names tests that are there, in every row', () => {
    for (const row of rows) {
      const tests = [...row.matchAll(/`([^`]+\.test\.ts)`/gu)].map(([, path = '']) => path)
      expect(tests.length, row).toBeGreaterThan(0)
      for (const path of tests) expect(existsSync(new URL(path, ROOT)), path).toBe(true)
    }
  })
})
