import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { PAGE_FILE, sessionPage } from '../../../scripts/session-docs.ts'

const ROOT = new URL('../../../', import.meta.url)

describe('spec/sessions.md', () => {
  const page = readFileSync(PAGE_FILE, 'utf8')
  const rules = [...page.matchAll(/\*\*\[(L\d+)\]\*\*/g)].map(([, id]) => id)

  it('has the tables and pictures of the state machines', () => {
    expect(page, 'spec/sessions.md is out of date: run npm run docs').toBe(sessionPage(page))
  })

  it('is not overlooked when it loses a marker', () => {
    expect(() => sessionPage(page.replace('made of: client', 'made of: clients'))).toThrow('clients')
    expect(() => sessionPage(page.replace('<!-- made of: words -->', ''))).toThrow('words')
  })

  it('numbers its rules in their order, and tests name each of them and no others', () => {
    expect(rules).toEqual(rules.map((_, index) => `L${index + 1}`))
    const tests = globSync(['packages/*/src/**/*.test.ts', 'e2e/**/*.test.ts'], { cwd: ROOT, exclude: ['**/node_modules/**'] })
    const named = new Set(
      tests.flatMap((file) => [...readFileSync(new URL(file, ROOT), 'utf8').matchAll(/['" `]\[(L\d+)\]/g)].map(([, id]) => id)),
    )
    expect([...named].sort()).toEqual([...rules].sort())
  })
})
