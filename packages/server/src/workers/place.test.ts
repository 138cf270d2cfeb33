import { expect, it, onTestFinished } from 'vitest'
import { resolveOptions } from '../config/resolve-options.ts'
import type { FailedStart } from './control.ts'
import { Place } from './place.ts'
import { tellingWorker } from './testing/telling-worker.ts'

const OPTIONS = resolveOptions({ development: true })

/** The error in the log, and what the primary is told, when the first worker of a place fails like this. */
const failing = (failure: FailedStart): Promise<{ logged: unknown; told: unknown }> =>
  new Promise((resolve) => {
    let logged: unknown
    const place = new Place({
      command: { file: process.execPath, args: ['-e', tellingWorker('failed', failure)] },
      number: 1,
      welcome: () => ({ worker: 1, options: OPTIONS, hasHub: false, ticketSeed: { interval: 0, secret: new Uint8Array(32) } }),
      hub: undefined,
      log: (event, { error }) => {
        if (event === 'worker_ended') logged = error
      },
      drainTimeoutMs: 0,
      events: {
        serving: () => {},
        ended: (_, told) => resolve({ logged, told }),
        gone: () => {},
        drain: () => {},
        gather: () => {},
        collected: () => {},
      },
    })
    onTestFinished(() => {
      place.leave('close')
      place.kill()
    })
    place.start()
  })

it('logs what is wrong with the configuration by its words alone, when a worker finds it', async () => {
  const failure = { message: 'broker: is away', problems: [{ option: 'broker', message: 'is away' }] }
  expect(await failing(failure)).toEqual({ logged: 'broker: is away', told: failure })
})

it('logs a defect with the stack of the worker, not with its own', async () => {
  const failure = { message: 'x is not a function', stack: 'TypeError: x is not a function\n    at worker.js:1:1' }
  const { logged, told } = await failing(failure)
  expect(logged).toMatchObject(failure)
  expect(told).toEqual(failure)
})
