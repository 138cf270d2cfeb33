import { expect, it } from 'vitest'
import { Respawn } from './respawn.ts'

const CRASH = { servedMs: undefined, isClean: false }

it('a worker that has served for long is replaced at once, however often', () => {
  const respawn = new Respawn()
  for (let n = 0; n < 20; n++) expect(respawn.ended({ servedMs: 10_000, isClean: false })).toBe(0)
  expect(respawn.isHopeless).toBe(false)
})

it('a worker that ends again and again at its start is tried more and more rarely', () => {
  const respawn = new Respawn()
  const delays = Array.from({ length: 8 }, () => respawn.ended(CRASH))
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000])
})

it('a worker is hopeless after five failures in a row, and not any more once it has served', () => {
  const respawn = new Respawn()
  for (let n = 0; n < 4; n++) respawn.ended(CRASH)
  expect(respawn.isHopeless).toBe(false)
  respawn.ended({ servedMs: 5, isClean: false })
  expect(respawn.isHopeless).toBe(true)
  expect(respawn.ended({ servedMs: 60_000, isClean: false })).toBe(0)
  expect(respawn.isHopeless).toBe(false)
})

it('a worker that was asked to leave has not failed', () => {
  const respawn = new Respawn()
  for (let n = 0; n < 10; n++) expect(respawn.ended({ servedMs: 5, isClean: true })).toBe(0)
})
