import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ERRORS_FILE, errorPage, PAGE_FILE, protocolPage } from '../../../scripts/protocol-docs.ts'

const AGAIN = 'is out of date: run npm run docs'
const ROOT = new URL('../../../', import.meta.url)
const RULE = /\[([PHSCTV]\d+)\]/g

describe('what is made from the protocol', () => {
  const page = readFileSync(PAGE_FILE, 'utf8')
  const rules = [...page.matchAll(/\*\*\[([A-Z]\d+)\]\*\*/g)].map(([, id]) => id)

  it('spec/protocol.md has the tables of the schemas', () => {
    expect(page, `spec/protocol.md ${AGAIN}`).toBe(protocolPage(page))
  })

  it('docs/errors.md has every error', () => {
    expect(readFileSync(ERRORS_FILE, 'utf8'), `docs/errors.md ${AGAIN}`).toBe(errorPage())
  })

  it('a table that lost its marker, or a field without a meaning, is not overlooked', () => {
    expect(() => protocolPage(page.replace('made of: client ping', 'made of: client pong'))).toThrow('client pong')
    expect(() => protocolPage(page.replace('<!-- made of: server join -->', ''))).toThrow('server join')
    expect(() => protocolPage(page.replace(/(\| `since` .*\|) [^|]+ \|\n/, '$1  |\n'))).toThrow('since')
  })

  it('every rule has its own id, and those that are referred to exist', () => {
    expect(new Set(rules).size).toBe(rules.length)
    const referred = [...page.matchAll(RULE)].map(([, id]) => id)
    expect(referred.filter((id) => !rules.includes(id))).toEqual([])
  })

  it('the rules that tests name exist', () => {
    const tests = globSync(['packages/*/src/**/*.test.ts', 'e2e/**/*.test.ts'], { cwd: ROOT, exclude: ['**/node_modules/**'] })
    const named = tests.flatMap((file) =>
      [...readFileSync(new URL(file, ROOT), 'utf8').matchAll(/['"`]\[([PHSCTV]\d+)\]/g)].map(([, id]) => `${id} in ${file}`),
    )
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter((name) => !rules.includes(name.split(' ')[0]))).toEqual([])
  })
})
