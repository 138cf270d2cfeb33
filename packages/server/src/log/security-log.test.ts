import { describe, expect, it } from 'vitest'
import { SecurityLog } from './security-log.ts'

const setUp = (linesPerMinute: number) => {
  const clock = { now: 1_000_000 }
  const lines: [event: string, details: object][] = []
  const security = new SecurityLog(
    (event, details) => lines.push([event, details]),
    linesPerMinute,
    () => clock.now,
  )
  return { clock, lines, security }
}

const refused = { code: 'token_invalid', remoteAddress: '192.0.2.1' }

describe('the log of security events', () => {
  it('[L18] counts them by code and writes them as they are', () => {
    const { lines, security } = setUp(10)
    security.log('token_refused', refused)
    security.log('token_refused', { ...refused, code: 'token_expired' })
    security.log('origin_refused', { code: 'origin_not_allowed' })
    expect(security.counts).toEqual({ token_invalid: 1, token_expired: 1, origin_not_allowed: 1 })
    expect(lines[0]).toEqual(['token_refused', refused])
    expect(lines).toHaveLength(3)
  })

  it('[L19] writes so many lines of each a minute, and says later how many were left out', () => {
    const { clock, lines, security } = setUp(3)
    for (let n = 0; n < 1000; n++) security.log('token_refused', refused)
    security.log('api_key_refused', { code: 'api_key_invalid' })
    expect(lines.map(([event]) => event)).toEqual(['token_refused', 'token_refused', 'token_refused', 'api_key_refused'])
    clock.now += 59_999
    security.log('token_refused', refused)
    expect(lines).toHaveLength(4)
    clock.now += 1
    security.log('token_refused', refused)
    security.log('token_refused', refused)
    expect(lines.slice(4)).toEqual([
      ['token_refused', { ...refused, suppressed: 998 }],
      ['token_refused', refused],
    ])
    expect(security.counts).toEqual({ token_invalid: 1003, api_key_invalid: 1 })
  })

  it('[L19] does so with failures that a client can bring about, too', () => {
    const { clock, lines, security } = setUp(2)
    for (const event of ['request_failed', 'api_request_failed', 'hook_failed'])
      for (let n = 0; n < 10; n++) security.log(event, { error: new Error('down') })
    expect(lines).toHaveLength(6)
    clock.now += 60_000
    security.log('hook_failed', { kind: 'malformed' })
    expect(lines.at(-1)).toEqual(['hook_failed', { kind: 'malformed', suppressed: 8 }])
    expect(security.counts).toEqual({})
  })

  it('[L19] leaves every other event alone', () => {
    const { lines, security } = setUp(1)
    for (let n = 0; n < 5; n++) security.log('slow_consumer', {})
    expect(lines).toHaveLength(5)
    expect(security.counts).toEqual({})
  })

  it('[L19] goes on when the clock goes back', () => {
    const { clock, lines, security } = setUp(1)
    security.log('token_refused', refused)
    clock.now -= 3_600_000
    security.log('token_refused', refused)
    expect(lines).toHaveLength(2)
  })
})
