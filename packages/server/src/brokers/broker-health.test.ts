import { FakeEnvironment } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { BrokerHealth } from './broker-health.ts'
import { CALL_BOUNDS_MS } from './broker-stats.ts'

let environment: FakeEnvironment
let lines: [string, object][]
let health: BrokerHealth
beforeEach(() => {
  environment = new FakeEnvironment()
  lines = []
  health = new BrokerHealth('redis', environment, (event, details) => lines.push([event, details]))
})

describe('the health of a broker', () => {
  it('is no problem while the server starts, which fails by itself', () => {
    health.away(new Error('refused'))
    expect(health.problem()).toBeUndefined()
    expect(health).toMatchObject({ isUp: false, outages: 0 })
    expect(lines).toEqual([])
  })

  it('says once for each outage that it is away, and that it is back', () => {
    const error = new Error('reset')
    health.back()
    health.back()
    expect(health.isUp).toBe(true)
    health.away(error)
    health.away(new Error('refused'))
    expect(health.isUp).toBe(false)
    expect(health.problem()).toMatchObject({ code: 'broker_unavailable', retryable: true, cause: error })
    environment.advance(1500)
    health.back()
    expect(health.problem()).toBeUndefined()
    expect(lines).toEqual([
      ['broker_away', { broker: 'redis', error }],
      ['broker_back', { broker: 'redis', awayMs: 1500 }],
    ])
    health.away(error)
    expect(health.outages).toBe(2)
  })

  it('counts calls by what they are for, and by how long they took', () => {
    health.answered('publish', 0.5)
    health.answered('publish', 0.6)
    health.answered('publish', 60_000)
    health.failed('publish')
    health.failed('history')
    const buckets = CALL_BOUNDS_MS.map((_, index) => (index < 2 ? 1 : 0))
    expect(health.calls.get('publish')).toEqual({ answered: 3, failed: 1, totalMs: 60_001.1, buckets })
    expect(health.calls.get('history')).toMatchObject({ answered: 0, failed: 1 })
  })
})
