import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Heartbeat } from './heartbeat.ts'

const LIMITS = { pingIntervalMs: 1000, pongTimeoutMs: 200 }

describe('Heartbeat', () => {
  it('[H3] is missed when nothing has come for the interval and the timeout', () => {
    const heartbeat = new Heartbeat(LIMITS, false, 0)
    heartbeat.heard(500)
    expect([heartbeat.isMissed(1699), heartbeat.isMissed(1700)]).toEqual([false, true])
    expect(heartbeat.nextLook(500)).toBe(1700)
  })

  it('[H3] asks a client that never pings, and takes its signs of life', () => {
    const heartbeat = new Heartbeat(LIMITS, true, 0)
    expect(heartbeat.nextLook(0)).toBe(1000)
    expect([heartbeat.isToBeAsked(999), heartbeat.isToBeAsked(1000)]).toEqual([false, true])
    expect(heartbeat.nextLook(1000)).toBe(1200)
    heartbeat.alive(1100)
    expect(heartbeat.isMissed(1200)).toBe(false)
    expect(heartbeat.nextLook(1200)).toBe(2100)
  })

  it('[H3] holds a client that pings to its own heartbeat, whatever its transport says', () => {
    const heartbeat = new Heartbeat(LIMITS, true, 0)
    heartbeat.heard(100)
    heartbeat.pinged()
    heartbeat.alive(900)
    expect(heartbeat.isToBeAsked(1100)).toBe(false)
    expect(heartbeat.nextLook(900)).toBe(1300)
    expect(heartbeat.isMissed(1300)).toBe(true)
  })

  it('never asks where the connection cannot', () => {
    const heartbeat = new Heartbeat(LIMITS, false, 0)
    expect(heartbeat.isToBeAsked(1100)).toBe(false)
    expect(heartbeat.nextLook(1100)).toBe(1200)
  })

  it('is looked at often enough to end a silent connection at once, and a client that answers in time never', () => {
    const delays = fc.array(fc.integer({ min: 0, max: 199 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(delays, fc.boolean(), (answers, ends) => {
        const heartbeat = new Heartbeat(LIMITS, true, 0)
        let [now, heardAt] = [0, 0]
        for (const delay of answers) {
          now = heartbeat.nextLook(now)
          while (!heartbeat.isToBeAsked(now)) now = heartbeat.nextLook(now)
          expect(heartbeat.isMissed(now)).toBe(false)
          heardAt = now + delay
          heartbeat.alive(heardAt)
        }
        if (!ends) return
        for (let looks = 0; !heartbeat.isMissed(now) && looks < 4; looks++) now = heartbeat.nextLook(now)
        expect(now).toBe(heardAt + 1200)
      }),
    )
  })
})
