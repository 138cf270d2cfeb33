import { describe, expect, it } from 'vitest'
import { Conditions } from './conditions.ts'
import type { Weather } from './fault.ts'
import { nextWrite } from './next-write.ts'

const under = (...weather: Weather[]): Conditions => {
  const conditions = new Conditions()
  for (const each of weather) conditions.set(each)
  return conditions
}
const waiting = { bytes: 1000, leaveAt: 0, freeAt: 0 }

describe('what waits in a lane', () => {
  it('leaves whole when its time has come, and not before', () => {
    expect(nextWrite(waiting, 'up', under(), 5)).toEqual({ do: 'write', bytes: 1000, freeAt: 5, apart: false })
    expect(nextWrite({ ...waiting, leaveAt: 9 }, 'up', under(), 5)).toEqual({ do: 'wait', until: 9 })
  })

  it('waits for the end of a stall in its direction', () => {
    const stalled = under({ kind: 'stall', direction: 'up' })
    expect(nextWrite(waiting, 'up', stalled, 5)).toEqual({ do: 'wait', because: 'stall' })
    expect(nextWrite(waiting, 'down', stalled, 5)).toMatchObject({ do: 'write' })
    expect(nextWrite(waiting, 'down', under({ kind: 'stall', direction: 'both' }), 5)).toMatchObject({ do: 'wait' })
  })

  it('leaves at the rate of a throttle, one byte at least', () => {
    const slow = under({ kind: 'throttle', bytesPerSecond: 5_000 })
    const first = nextWrite(waiting, 'up', slow, 5)
    expect(first).toEqual({ do: 'write', bytes: 100, freeAt: 25, apart: false, because: 'throttle' })
    expect(nextWrite({ bytes: 900, leaveAt: 0, freeAt: 25 }, 'up', slow, 6)).toEqual({
      do: 'wait',
      until: 25,
      because: 'throttle',
    })
    expect(nextWrite(waiting, 'up', under({ kind: 'throttle', bytesPerSecond: 1 }), 5)).toMatchObject({ bytes: 1, freeAt: 1005 })
  })

  it('goes on at once when the throttle is gone', () => {
    expect(nextWrite({ ...waiting, freeAt: 9_000 }, 'up', under(), 5)).toMatchObject({ do: 'write', bytes: 1000 })
  })

  it('leaves in fragments, each alone', () => {
    const broken = under({ kind: 'fragment', bytes: 3 })
    expect(nextWrite(waiting, 'up', broken, 5)).toEqual({ do: 'write', bytes: 3, freeAt: 5, apart: true, because: 'fragment' })
    expect(nextWrite({ ...waiting, bytes: 2 }, 'up', broken, 5)).toEqual({ do: 'write', bytes: 2, freeAt: 5, apart: true })
  })
})
