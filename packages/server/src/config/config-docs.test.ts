import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { configPage, configSchema, PAGE_FILE, SCHEMA_FILE, SECURITY_FILE, securityPage } from '../../../../scripts/config-docs.ts'

const AGAIN = 'is out of date: run node --conditions=@fusewire/source scripts/config-docs.ts'

describe('what is made from the options', () => {
  it('spec/config.schema.json is that of the options', () => {
    expect(readFileSync(SCHEMA_FILE, 'utf8'), `spec/config.schema.json ${AGAIN}`).toBe(configSchema())
  })

  it('docs/configuration.md has the tables of the options', () => {
    const page = readFileSync(PAGE_FILE, 'utf8')
    expect(page, `docs/configuration.md ${AGAIN}`).toBe(configPage(page))
  })

  it('docs/security.md has the table of the limits', () => {
    const page = readFileSync(SECURITY_FILE, 'utf8')
    expect(page, `docs/security.md ${AGAIN}`).toBe(securityPage(page))
  })
})
