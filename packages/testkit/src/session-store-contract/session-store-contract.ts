import fc from 'fast-check'
import { describe, it } from 'vitest'
import { belongingTests, endOfTracesTests } from './belonging.ts'
import { dueTests, expiryTests } from './expiry.ts'
import { keepingTests } from './keeping.ts'
import { lossTests } from './loss.ts'
import { sessionStoreModelProperty } from './model.ts'
import { type MakeSessionStore, sessionStoreTrials } from './session-store-trial.ts'

export interface SessionStoreContractOptions {
  /** Random histories that are compared with a model. Default 200; fewer where each operation takes a network's time. */
  readonly runs?: number
  /** A TTL, a lease and a trace that a test may wait for, in milliseconds. Default 500. */
  readonly shortMs?: number
  /** Whether it tells when something is due. Default false. */
  readonly tellsDue?: boolean
}

/** What every `SessionStore` must do, as a suite of tests. */
export const sessionStoreContract = (
  name: string,
  make: MakeSessionStore,
  { runs = 200, shortMs = 500, tellsDue = false }: SessionStoreContractOptions = {},
): void => {
  describe(`${name} is a SessionStore`, () => {
    const current = sessionStoreTrials(make, shortMs)
    keepingTests(current)
    belongingTests(current)
    expiryTests(current)
    lossTests(current)
    if (tellsDue) dueTests(current)

    it('is what a simple model of three nodes is, whatever they do', async () => {
      const { subject, a, b, open } = current()
      const c = await open(await subject.another('c'))
      await fc.assert(sessionStoreModelProperty([a, b, c], { pass: subject.pass, shortMs }), { numRuns: runs })
    }, 300_000)
  })

  describe(`${name} keeps traces for a while`, () => {
    endOfTracesTests(sessionStoreTrials(make, shortMs, shortMs))
  })
}
