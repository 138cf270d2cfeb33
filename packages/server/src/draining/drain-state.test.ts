import { describe, expect, it } from 'vitest'
import { DRAIN_TABLE, type DrainEvent, type DrainState, deadlineOf, drainMove } from './drain-state.ts'

const follow = (...events: DrainEvent[]): { states: DrainState[]; effects: string[] } => {
  const states: DrainState[] = ['serving']
  const effects: string[] = []
  for (const event of events) {
    const step = drainMove(states.at(-1) as DrainState, event)
    states.push(step.to)
    effects.push(...step.effects)
  }
  return { states, effects }
}

describe('the life of a node', () => {
  it('leads from a drain over the delay and the window to the end', () => {
    expect(follow('drain', 'time', 'time', 'gone')).toEqual({
      states: ['serving', 'announced', 'moving', 'ending', 'closed'],
      effects: ['stop', 'move', 'end', 'release'],
    })
  })

  it('does not wait for the window when nobody is left', () => {
    expect(follow('drain', 'time', 'left').states).toEqual(['serving', 'announced', 'moving', 'ending'])
  })

  it('stops taking connections exactly once, however it leaves', () => {
    for (const events of [
      ['close'],
      ['drain', 'close'],
      ['drain', 'time', 'close'],
      ['drain', 'time', 'time', 'close'],
    ] as const) {
      const { states, effects } = follow(...events, 'gone')
      expect(states.at(-1)).toBe('closed')
      expect(effects.filter((effect) => effect === 'stop')).toHaveLength(1)
      expect(effects.filter((effect) => effect === 'end')).toHaveLength(1)
      expect(effects.at(-1)).toBe('release')
    }
  })

  it('cuts what is still there at the last deadline, and then waits for the end of it', () => {
    expect(follow('close', 'time', 'gone')).toEqual({
      states: ['serving', 'ending', 'ending', 'closed'],
      effects: ['stop', 'end', 'cut', 'release'],
    })
  })

  it('is not begun again: a second drain changes nothing in any state', () => {
    for (const state of ['announced', 'moving', 'ending', 'closed'] as const)
      expect(drainMove(state, 'drain')).toEqual({ to: state, effects: [] })
  })

  it('has a place for every event in every state, and never goes back', () => {
    const states = Object.keys(DRAIN_TABLE) as DrainState[]
    for (const [index, state] of states.entries())
      for (const found of Object.values(DRAIN_TABLE[state]))
        if (found) expect(states.indexOf(found.to)).toBeGreaterThanOrEqual(index)
    expect(() => drainMove('serving', 'gone')).toThrow('gone while serving')
  })

  it('has its deadlines counted from the beginning', () => {
    const times = { drainDelayMs: 1000, drainWindowMs: 5000, drainTimeoutMs: 10_000 }
    expect((Object.keys(DRAIN_TABLE) as DrainState[]).map((state) => deadlineOf(state, times))).toEqual([
      undefined,
      1000,
      6000,
      10_000,
      undefined,
    ])
  })
})
