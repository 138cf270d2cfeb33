import { FusewireError } from '@fusewire/protocol'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { eventLog } from './event-log.ts'

const lineOf = (event: string, error: unknown): unknown => {
  const lines: string[] = []
  eventLog(pino({ base: null }, { write: (line: string) => lines.push(line) }))(event, { error })
  return JSON.parse(lines.join(''))
}

describe('the log of events', () => {
  it('has errors with their stack', () => {
    expect(lineOf('snapshot_failed', new Error('disk full'))).toMatchObject({
      level: 50,
      msg: 'snapshot_failed',
      err: { message: 'disk full', stack: expect.stringContaining('event-log.test') },
    })
  })

  it('says in one line that the broker is away, and why', () => {
    const cause = new Error('socket closed')
    expect(lineOf('broker_away', new FusewireError('broker_unavailable', 'Redis at r:6379 has gone', { cause }))).toMatchObject({
      err: 'Redis at r:6379 has gone: socket closed',
    })
    expect(lineOf('broker_away', new FusewireError('broker_unavailable', 'no answer: socket closed', { cause }))).toMatchObject({
      err: 'no answer: socket closed',
    })
  })
})
