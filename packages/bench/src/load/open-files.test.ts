import { expect, it } from 'vitest'
import { assertOpenFiles, mostConnections } from './open-files.ts'

it('says how many clients there can be where the system allows fewer open files', () => {
  expect(() => assertOpenFiles(20_000, 19_900)).toThrow(
    '20000 connections need more open files than the system allows (ulimit -n): --clients 19900 takes fewer',
  )
  expect(() => assertOpenFiles(19_900, 19_900)).not.toThrow()
})

it('knows a limit, or that there is none', () => {
  expect(mostConnections()).toBeGreaterThan(0)
})
