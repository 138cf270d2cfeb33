import { expect, it } from 'vitest'
import { eventually } from './eventually.ts'

it('gives the first answer that is not false', async () => {
  let tries = 0
  expect(await eventually(() => ++tries === 3 && 'three', { intervalMs: 1 })).toBe('three')
  expect(tries).toBe(3)
})

it('tries again when the check throws or rejects', async () => {
  let tries = 0
  const check = async (): Promise<void> => expect(++tries).toBe(2)
  await eventually(check, { intervalMs: 1 })
  expect(tries).toBe(2)
})

it('throws at the deadline what the check threw last', async () => {
  let tries = 0
  const check = (): never => {
    throw new Error(`try ${++tries}`)
  }
  await expect(eventually(check, { timeoutMs: 20, intervalMs: 1 })).rejects.toThrow(/^try \d+$/)
  expect(tries).toBeGreaterThan(1)
  await expect(eventually(() => false, { timeoutMs: 5, intervalMs: 1 })).rejects.toThrow('still false after 5 ms')
})
