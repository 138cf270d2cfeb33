import { expect, it } from 'vitest'
import { readPort } from './read-port.ts'

it('reads a port, or that there is none', () => {
  expect(readPort('PORT', { PORT: '9443' })).toBe(9443)
  expect(readPort('PORT', { PORT: '0' })).toBe(0)
  expect(readPort('PORT', { PORT: '' })).toBeUndefined()
  expect(readPort('PORT', {})).toBeUndefined()
})

it.each(['abc', '65536', '-1', '80.5', '0x50'])('refuses %s, as it was written', (text) => {
  expect(() => readPort('CLEARTEXT_PORT', { CLEARTEXT_PORT: text })).toThrow(
    `CLEARTEXT_PORT: is a number from 0 to 65535, not "${text}"`,
  )
})
