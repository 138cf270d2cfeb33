import timers from 'node:timers'
import { afterAll } from 'vitest'

// Files share processes: a timer that stands still hangs whichever comes next.
afterAll(() => {
  if (globalThis.setTimeout !== timers.setTimeout) throw new Error('this file has left a setTimeout of a test behind')
})
