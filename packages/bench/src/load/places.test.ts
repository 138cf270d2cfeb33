import { describe, expect, it } from 'vitest'
import { Places } from './places.ts'

describe('Places', () => {
  it('gives each value back once, under its number', () => {
    const places = new Places<string>()
    const [one, two] = [places.add('one'), places.add('two')]
    expect([places.take(two), places.take(one), places.take(one), places.take(7)]).toEqual(['two', 'one', undefined, undefined])
  })

  it('gives numbers again that have been taken, and no others twice', () => {
    const places = new Places<string>()
    const [one, two] = [places.add('one'), places.add('two')]
    places.take(one)
    places.take(one)
    expect(places.add('three')).toBe(one)
    expect(places.add('four')).toBe(two + 1)
    expect(places.take(two)).toBe('two')
  })

  it('takes all that wait', () => {
    const places = new Places<string>()
    for (const value of ['one', 'two', 'three']) places.add(value)
    places.take(1)
    expect(places.takeAll()).toEqual(['one', 'three'])
    expect(places.takeAll()).toEqual([])
  })
})
