import { expect, it } from 'vitest'
import { RepeatedWork } from './repeated-work.ts'

it('is begun once at a time, and again after it has failed', async () => {
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = []
  const work = new RepeatedWork(() => new Promise((resolve, reject) => ends.push({ resolve, reject })))
  work.begin()
  work.begin()
  expect(ends).toHaveLength(1)
  ends[0]?.reject(new Error('no answer'))
  await work.settled()
  work.begin()
  expect(ends).toHaveLength(2)
  ends[1]?.resolve()
  await work.settled()
  work.begin()
  expect(ends).toHaveLength(3)
})

it('is settled where nothing was begun', async () => {
  await expect(new RepeatedWork(() => Promise.resolve()).settled()).resolves.toBeUndefined()
})
