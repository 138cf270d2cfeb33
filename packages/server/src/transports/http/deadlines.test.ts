import { describe, expect, it } from 'vitest'
import { Deadlines } from './deadlines.ts'

const create = () => {
  const expired: string[] = []
  return { expired, deadlines: new Deadlines<string>(100, (item) => expired.push(item)) }
}

describe('Deadlines', () => {
  it('expires each item once, when its time is over', () => {
    const { expired, deadlines } = create()
    deadlines.start('a', 0)
    deadlines.start('b', 50)
    deadlines.sweep(99)
    expect(expired).toEqual([])
    deadlines.sweep(100)
    expect(expired).toEqual(['a'])
    deadlines.sweep(1_000)
    deadlines.sweep(2_000)
    expect(expired).toEqual(['a', 'b'])
  })

  it('forgets what was stopped, and gives its whole time to what was started again', () => {
    const { expired, deadlines } = create()
    deadlines.start('a', 0)
    deadlines.start('b', 0)
    deadlines.start('c', 10)
    deadlines.stop('a')
    deadlines.start('b', 90)
    deadlines.sweep(110)
    expect(expired).toEqual(['c'])
    deadlines.sweep(190)
    expect(expired).toEqual(['c', 'b'])
  })

  it('expires nothing that was stopped by what expired before it, whatever was started meanwhile', () => {
    const expired: number[] = []
    const deadlines = new Deadlines<number>(100, (item) => {
      expired.push(item)
      for (let other = 1; other < 100; other++) deadlines.stop(other)
      for (let late = 100; late < 200; late++) deadlines.start(late, 100)
    })
    for (let item = 0; item < 100; item++) deadlines.start(item, 0)
    deadlines.sweep(100)
    expect(expired).toEqual([0])
  })
})
