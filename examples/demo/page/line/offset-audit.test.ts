import { describe, expect, it } from 'vitest'
import { OffsetAudit } from './offset-audit.ts'

const started = (): OffsetAudit => {
  const audit = new OffsetAudit()
  audit.startAt('a', 5)
  return audit
}

describe('the audit of offsets', () => {
  it('finds nothing when each offset follows the last', () => {
    const audit = started()
    for (const offset of [6, 7, 8]) audit.received('a', offset)
    expect(audit.counts).toEqual({ received: 3, gaps: 0, duplicates: 0 })
  })

  it('counts every offset that was skipped', () => {
    const audit = started()
    for (const offset of [6, 10]) audit.received('a', offset)
    expect(audit.counts).toEqual({ received: 2, gaps: 3, duplicates: 0 })
  })

  it('counts what comes again, and is not led astray by it', () => {
    const audit = started()
    for (const offset of [6, 7, 6, 8]) audit.received('a', offset)
    expect(audit.counts).toEqual({ received: 4, gaps: 0, duplicates: 1 })
  })

  it('keeps channels apart', () => {
    const audit = started()
    audit.received('a', 6)
    audit.received('b', 1)
    audit.received('b', 2)
    expect(audit.counts).toEqual({ received: 3, gaps: 0, duplicates: 0 })
  })
})
