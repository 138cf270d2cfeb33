import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { LONG_MS, sessionRecord } from './session-records.ts'
import type { CurrentStores } from './session-store-trial.ts'

/** A store that has forgotten. */
export const lossTests = (current: CurrentStores): void => {
  describe('a store that has lost everything', () => {
    it('knows nothing, and takes back what its nodes put', async ({ skip }) => {
      const { subject, a, b, lost, put, refresh } = current()
      const { forget } = subject
      if (!forget) return skip('it cannot be emptied')
      await put(a, 's1', 's2')
      await b.take('s2', LONG_MS)
      await eventually(() => expect(lost.a).toEqual(['s2']))
      await forget()
      await eventually(async () => expect(await b.find('s1')).toBeUndefined())
      expect(await refresh(a, 's1')).toEqual({ lost: [], unknown: ['s1'] })
      expect(await put(a, 's1')).toEqual([])
      expect(await put(b, 's2')).toEqual([])
      expect(await put(a, 's2')).toEqual(['s2'])
      expect(await b.take('s1', LONG_MS)).toEqual(sessionRecord('s1'))
      await eventually(() => expect(lost.a).toEqual(['s2', 's1']))
    })
  })
}
