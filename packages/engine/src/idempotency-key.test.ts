import fc from 'fast-check'
import { expect, it } from 'vitest'
import { applicationKey, clientKey } from './idempotency-key.ts'

/** Text that is likely to look like the edges of other text. */
const text = fc.string({ unit: fc.constantFrom('a', '1', ' ', ':', 'user', 'anonymous'), minLength: 1, maxLength: 6 })

it('[S8] is another for every user and key, for anonymous clients, and for the application', () => {
  const owner = fc.oneof(
    fc.record({ kind: fc.constant('user' as const), user: text }),
    fc.constant({ kind: 'anonymous' as const }),
    fc.constant({ kind: 'application' as const }),
  )
  const publisher = fc.record({ owner, key: text })
  const brokerKey = ({ owner, key }: { owner: { kind: string; user?: string }; key: string }): string =>
    owner.kind === 'application' ? applicationKey(key) : clientKey(owner.user, key)
  fc.assert(
    fc.property(publisher, publisher, (one, other) => {
      expect(brokerKey(one) === brokerKey(other)).toBe(JSON.stringify(one) === JSON.stringify(other))
    }),
    { numRuns: 2000 },
  )
})
