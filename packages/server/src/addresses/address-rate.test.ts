import { expect, it } from 'vitest'
import { AddressRate } from './address-rate.ts'

const groupOf = (address: string): string | undefined => (address === 'proxy' ? undefined : address.slice(0, 1))

it('lets each address do twice its rate at once, then its rate, and says when it goes on', () => {
  const rate = new AddressRate(2, groupOf)
  expect([0, 0, 0, 0].map(() => rate.take('a1', 1000))).toEqual([0, 0, 0, 0])
  expect(rate.take('a2', 1000)).toBe(500)
  expect(rate.take('b', 1000)).toBe(0)
  expect(rate.take('a1', 1500)).toBe(0)
  expect(rate.take('a1', 1500)).toBe(500)
})

it('limits nobody whose address says nothing', () => {
  const rate = new AddressRate(1, groupOf)
  for (let n = 0; n < 10; n++) expect(rate.take('proxy', 0)).toBe(0)
  expect(rate.size).toBe(0)
})

it('remembers an address for as long as it owes something', () => {
  const rate = new AddressRate(2, groupOf)
  rate.take('a', 0)
  rate.sweep(499)
  expect(rate.size).toBe(1)
  rate.sweep(500)
  expect(rate.size).toBe(0)
})
