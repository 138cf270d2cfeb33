import { describe, expect, it } from 'vitest'
import { closeAction, ERRORS, type ErrorEntry, FusewireError, isErrorCode } from './errors.ts'

const entries = Object.entries<ErrorEntry>(ERRORS)

describe('the error table', () => {
  it('has a close code for one error alone', () => {
    const closeCodes = entries.flatMap(([, { closeCode }]) => (closeCode === undefined ? [] : [closeCode]))
    expect(new Set(closeCodes).size).toBe(closeCodes.length)
  })

  it('[C2] says with the range of a close code what retryable says', () => {
    for (const [code, { closeCode, retryable }] of entries) {
      if (closeCode !== undefined && closeCode >= 4000) expect(closeAction(closeCode) === 'reconnect', code).toBe(retryable)
    }
  })

  it('answers with HTTP statuses of errors, and tells what to do', () => {
    for (const [code, { closeCode, httpStatus, help }] of entries) {
      expect(httpStatus, code).toBeGreaterThanOrEqual(400)
      expect(httpStatus, code).toBeLessThan(600)
      expect(help, code).toMatch(/\.$/)
      // RFC 6455 section 5.5: a close frame has room for a reason of 123 bytes, and the help is the reason where there is no other.
      if (closeCode !== undefined) expect(new TextEncoder().encode(help).length, code).toBeLessThanOrEqual(123)
    }
  })

  it('knows its own codes alone', () => {
    expect(isErrorCode('timeout')).toBe(true)
    for (const code of ['', 'toString', '__proto__', 'TIMEOUT']) expect(isErrorCode(code)).toBe(false)
  })
})

it.each([
  [4000, 'reconnect'],
  [4099, 'reconnect'],
  [4100, 'authenticate'],
  [4199, 'authenticate'],
  [4200, 'stop'],
  [4299, 'stop'],
  [4300, 'reconnect'],
  [1000, 'reconnect'],
  [1001, 'reconnect'],
  [1002, 'stop'],
  [1005, 'reconnect'],
  [1006, 'reconnect'],
  [1009, 'stop'],
  [1011, 'reconnect'],
])('[C2] takes close code %i as: %s', (code, action) => expect(closeAction(code)).toBe(action))

describe('FusewireError', () => {
  it('has the help of its code where there is nothing more to say, and keeps its cause', () => {
    const cause = new Error('the socket was closed')
    const error = new FusewireError('broker_unavailable', undefined, { cause })
    expect(error).toMatchObject({ message: ERRORS.broker_unavailable.help, retryable: true, cause })
    expect(new FusewireError('not_found', 'no such user')).toMatchObject({ message: 'no such user', retryable: false })
  })
})
