import { beforeEach, expect, it } from 'vitest'
import { Interests } from './interests.ts'
import type { Awaitable } from './ports/broker.ts'

let asked: string[]
let answer: () => Awaitable<void>
let interests: Interests<string>

beforeEach(() => {
  asked = []
  answer = () => undefined
  interests = new Interests({
    subscribe: (channel) => {
      asked.push(`+${channel}`)
      return answer()
    },
    unsubscribe: (channel) => {
      asked.push(`-${channel}`)
    },
  })
})

it('asks the broker once for all, and takes it back with the last', () => {
  interests.add('a', 'one')
  interests.add('a', 'other')
  interests.add('a', 'one')
  interests.add('b', 'one')
  expect([...interests.of('a')]).toEqual(['one', 'other'])
  interests.remove('a', 'one')
  interests.remove('a', 'one')
  interests.remove('never', 'one')
  expect(asked).toEqual(['+a', '+b'])
  interests.remove('a', 'other')
  expect(asked).toEqual(['+a', '+b', '-a'])
  expect(interests.of('a').size).toBe(0)
})

it('has whoever comes later wait for the same answer', async () => {
  let ready = (): void => {}
  answer = () =>
    new Promise((resolve) => {
      ready = resolve
    })
  const both = Promise.all([interests.add('a', 'one'), interests.add('a', 'other')])
  ready()
  await both
  expect(asked).toEqual(['+a'])
})

it('asks again after the broker has refused', async () => {
  answer = () => Promise.reject(new Error('away'))
  await expect(interests.add('a', 'one')).rejects.toThrow('away')
  expect(interests.of('a').size).toBe(0)
  answer = () => undefined
  interests.add('a', 'one')
  expect(asked).toEqual(['+a', '+a'])
})
