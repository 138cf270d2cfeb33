import { expect, test } from 'vitest'
import { planRound, TRANSPORTS } from './routes.ts'

const plan = (...args: Parameters<typeof planRound>) =>
  planRound(...args).map(({ endpoint, transport }) => `${endpoint} ${transport}`)

test('the next endpoint comes before the next transport', () => {
  expect(plan(['a', 'b'], ['websocket', 'poll'], new Map(), 0)).toEqual(['a websocket', 'b websocket', 'a poll', 'b poll'])
})

test('where a transport has worked, nothing else is tried in the first rounds', () => {
  const worked = new Map([['a', 'sse' as const]])
  expect(plan(['a'], TRANSPORTS, worked, 0)).toEqual(['a sse'])
  expect(plan(['a'], TRANSPORTS, worked, 1)).toEqual(['a sse'])
  expect(plan(['a'], TRANSPORTS, worked, 2)).toEqual(['a sse', 'a websocket', 'a stream', 'a poll'])
})

test('what has worked at one endpoint says nothing about another', () => {
  const worked = new Map([['a', 'poll' as const]])
  expect(plan(['a', 'b'], ['websocket', 'poll'], worked, 0)).toEqual(['a poll', 'b websocket', 'b poll'])
})

test('a transport that is not wanted any more is forgotten', () => {
  expect(plan(['a'], ['stream'], new Map([['a', 'poll' as const]]), 0)).toEqual(['a stream'])
})

test('rounds can begin with any endpoint', () => {
  expect(plan(['a', 'b', 'c'], ['poll'], new Map(), 0, 4)).toEqual(['b poll', 'c poll', 'a poll'])
})
