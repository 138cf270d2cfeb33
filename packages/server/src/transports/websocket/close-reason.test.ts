import { ERRORS } from '@fusewire/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closeReason } from './close-reason.ts'

describe('closeReason', () => {
  it('leaves short reasons as they are', () => {
    expect(closeReason('bye')).toBe('bye')
    expect(closeReason('é'.repeat(61))).toBe('é'.repeat(61))
  })

  it('cuts long ones to 123 bytes at most, at the end of a character', () => {
    expect(closeReason('é'.repeat(100))).toBe('é'.repeat(61))
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (reason) => {
        const cut = closeReason(reason)
        expect(reason.startsWith(cut)).toBe(true)
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(123)
        if (cut !== reason) expect(Buffer.byteLength(cut)).toBeGreaterThan(119)
      }),
    )
  })

  it('has room for the help of every error', () => {
    for (const { help } of Object.values(ERRORS)) expect(Buffer.byteLength(closeReason(help))).toBeLessThanOrEqual(123)
  })
})
