import { turn } from '@fusewire/testkit'
import { expect, it } from 'vitest'
import { Lanes } from './lanes.ts'

it('begins the work of a lane when the one before is done, and does not wait for other lanes', async () => {
  const lanes = new Lanes()
  const begun: string[] = []
  let finish = (): void => {}
  const first = new Promise<void>((resolve) => {
    finish = resolve
  })
  const work = (name: string, wait?: Promise<void>) => async () => {
    begun.push(name)
    await wait
    return name
  }
  const answers = [lanes.run('a', work('a1', first)), lanes.run('a', work('a2')), lanes.run('b', work('b1'))]
  await turn()
  expect(begun).toEqual(['a1', 'b1'])
  finish()
  expect(await Promise.all(answers)).toEqual(['a1', 'a2', 'b1'])
  expect(begun).toEqual(['a1', 'b1', 'a2'])
})

it('goes on after work that has failed, and holds nothing when all is done', async () => {
  const lanes = new Lanes()
  const failed = lanes.run('a', () => Promise.reject(new Error('no')))
  const next = lanes.run('a', async () => 2)
  await expect(failed).rejects.toThrow('no')
  expect(await next).toBe(2)
  await turn()
  expect(lanes.size).toBe(0)
})

it('begins work in several lanes when all of them are free, and holds up each until it is done', async () => {
  const lanes = new Lanes()
  const begun: string[] = []
  const finish = new Map<string, () => void>()
  const work = (name: string) => async () => {
    begun.push(name)
    await new Promise<void>((resolve) => finish.set(name, resolve))
    return name
  }
  const before = lanes.run('a', work('before'))
  const both = lanes.runInAll(['a', 'b', 'a'], work('both'))
  const after = ['a', 'b'].map((lane) => lanes.run(lane, work(`after in ${lane}`)))
  await turn()
  expect(begun).toEqual(['before'])
  finish.get('before')?.()
  expect(await before).toBe('before')
  await turn()
  expect(begun).toEqual(['before', 'both'])
  finish.get('both')?.()
  expect(await both).toBe('both')
  await turn()
  expect(begun.slice(0, 2)).toEqual(['before', 'both'])
  expect(begun.slice(2).sort()).toEqual(['after in a', 'after in b'])
  for (const lane of ['a', 'b']) finish.get(`after in ${lane}`)?.()
  expect(await Promise.all(after)).toEqual(['after in a', 'after in b'])
  await turn()
  expect(lanes.size).toBe(0)
})
