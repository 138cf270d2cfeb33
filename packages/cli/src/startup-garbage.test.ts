import { getHeapSpaceStatistics } from 'node:v8'
import { expect, it } from 'vitest'
import { collectStartupGarbage } from './startup-garbage.ts'

const newSpaceBytes = (): number => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0

it('leaves V8 little room for new objects, however much has stayed before, and no gc behind', () => {
  let kept: object[] = []
  for (let count = 0; count < 500_000; count++) kept.push({ count })
  const before = newSpaceBytes()
  kept = []
  collectStartupGarbage()
  expect(newSpaceBytes()).toBeLessThan(before / 4)
  expect(new Function('return typeof gc')()).toBe('undefined')
})
