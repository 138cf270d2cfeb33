import { expect, it } from 'vitest'
import { tableLines } from './table.ts'
import { uptimeText } from './uptime.ts'

it('makes columns as wide as what is in them, numbers to the right', () => {
  const rows = [
    { name: 'a', count: 1200 },
    { name: 'a long name', count: 7 },
  ]
  const columns = [
    { title: 'name', value: ({ name }: (typeof rows)[number]) => name },
    { title: 'count', align: 'right' as const, value: ({ count }: (typeof rows)[number]) => count },
    { title: 'note', value: () => '' },
  ]
  expect(tableLines(rows, columns)).toEqual(['name         count  note', 'a             1200', 'a long name      7'])
})

it.each([
  [-5, '0 s'],
  [59_999, '59 s'],
  [61_000, '1 min 1 s'],
  [3_660_000, '1 h 1 min'],
  [90_000_000, '1 d 1 h'],
])('says for how long something has been there: %d ms', (ms, text) => {
  expect(uptimeText(1_000_000, 1_000_000 + ms)).toBe(text)
})
