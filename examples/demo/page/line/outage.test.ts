import { describe, expect, it } from 'vitest'
import { type Outage, type OutageEvent, tellOutage } from './outage.ts'

const tell = (...events: OutageEvent[]): readonly Outage[] => events.reduce<readonly Outage[]>(tellOutage, [])

const lost: OutageEvent = { type: 'lost', at: 1000, cause: 'cut' }
const back: OutageEvent = { type: 'back', at: 3000, transport: 'websocket', resumed: true }
const subscribed = (channel: string, publications: number, recovered = true): OutageEvent => ({
  type: 'subscribed',
  channel,
  publications,
  recovered,
})

describe('the story of an outage', () => {
  it('has what happened between the cut and the return', () => {
    const waiting = { kind: 'waiting', at: 1001, retryAt: 1800 } as const
    const connecting = { kind: 'connecting', at: 1800, transport: 'websocket' } as const
    const [outage] = tell(lost, { type: 'step', step: waiting }, { type: 'step', step: connecting }, back)
    expect(outage).toMatchObject({ cause: 'cut', cutAt: 1000, steps: [waiting, connecting], back: { at: 3000, resumed: true } })
  })

  it('sums what all channels recover', () => {
    expect(tell(lost, back, subscribed('a', 3), subscribed('b', 4)).at(-1)?.recovered).toBe(7)
  })

  it('names the channels that could not recover everything', () => {
    expect(tell(lost, back, subscribed('a', 0, false), subscribed('b', 1)).at(-1)?.incomplete).toEqual(['a'])
  })

  it('goes on when the line is lost again before it was back', () => {
    expect(tell(lost, { ...lost, at: 1500 })).toHaveLength(1)
    expect(tell(lost, back, { ...lost, at: 9000 })).toHaveLength(2)
  })

  it('does not begin without a cut', () => {
    expect(tell(back, subscribed('a', 3))).toEqual([])
  })
})
