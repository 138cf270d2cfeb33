import { describe, expect, it } from 'vitest'
import { KeepAlives } from './keep-alives.ts'

const addMembers = (keepAlives: KeepAlives, count: number) => {
  const members = Array.from({ length: count }, () => ({ calls: 0 }))
  const removals = members.map((member) => keepAlives.add({ keepAlive: () => member.calls++ }))
  return { calls: () => members.map(({ calls }) => calls), removals }
}

describe('KeepAlives', () => {
  it('asks every member once an interval, and a like part of them every second', () => {
    const keepAlives = new KeepAlives(5_000)
    const { calls } = addMembers(keepAlives, 100)
    let before = 0
    for (let second = 1; second <= 10; second++) {
      keepAlives.tick(second * 1_000 + 7)
      const all = calls().reduce((sum, count) => sum + count, 0)
      expect(all - before).toBe(20)
      before = all
    }
    expect(new Set(calls())).toEqual(new Set([2]))
  })

  it('asks nobody twice when ticks come often, and everybody once when they stayed away for long', () => {
    const keepAlives = new KeepAlives(5_000)
    const { calls } = addMembers(keepAlives, 5)
    for (const now of [1_000, 1_100, 1_999]) keepAlives.tick(now)
    expect(calls().filter((count) => count > 0)).toHaveLength(1)
    keepAlives.tick(3_600_000)
    expect(calls().reduce((sum, count) => sum + count, 0)).toBe(6)
  })

  it('survives a clock that is set back', () => {
    const keepAlives = new KeepAlives(1_000)
    const { calls } = addMembers(keepAlives, 1)
    keepAlives.tick(10_000)
    keepAlives.tick(4_000)
    keepAlives.tick(5_000)
    expect(calls()).toEqual([2])
  })

  it('no longer asks who has left', () => {
    const keepAlives = new KeepAlives(1_000)
    const { calls, removals } = addMembers(keepAlives, 2)
    removals[0]?.()
    keepAlives.tick(1_000)
    expect(calls()).toEqual([0, 1])
  })
})
