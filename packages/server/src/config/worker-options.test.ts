import { expect, it } from 'vitest'
import { workerCount } from './worker-options.ts'

it('counts one worker for each available core where it is to decide', () => {
  expect(workerCount({ workers: 3 })).toBe(3)
  expect(workerCount({ workers: 'auto' })).toBeGreaterThan(0)
})
