import { describe, expect, it } from 'vitest'
import { TicketSecret } from './ticket-secret.ts'

const DAY = 86_400_000

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('the secret behind session tickets', () => {
  it('makes the same keys from the same seed, now and later, whenever a process has begun', () => {
    const first = new TicketSecret(DAY, 5 * DAY)
    const second = new TicketSecret(DAY, 5 * DAY, first.seed(5 * DAY))
    const third = new TicketSecret(DAY, 8 * DAY, first.seed(7 * DAY))
    for (const now of [8 * DAY, 8.5 * DAY, 20 * DAY]) {
      const keys = hex(first.keys(now, 'a'))
      expect(keys).toHaveLength(96)
      expect(hex(second.keys(now, 'a'))).toBe(keys)
      expect(hex(third.keys(now, 'a'))).toBe(keys)
    }
  })

  it('makes others for each interval, each certificate and each server', () => {
    const secret = new TicketSecret(DAY, 0)
    const keys = [
      secret.keys(0, 'a'),
      secret.keys(0, 'b'),
      secret.keys(DAY, 'a'),
      secret.keys(2 * DAY, 'a'),
      new TicketSecret(DAY, 2 * DAY).keys(2 * DAY, 'a'),
    ]
    expect(new Set(keys.map(hex)).size).toBe(keys.length)
    expect(hex(secret.keys(2.9 * DAY, 'a'))).toBe(hex(secret.keys(2 * DAY, 'a')))
  })

  it('brings no keys back with a clock that is set back', () => {
    const secret = new TicketSecret(DAY, 0)
    const later = hex(secret.keys(3 * DAY, 'a'))
    expect(hex(secret.keys(DAY, 'a'))).toBe(later)
  })

  it('erases what an interval that is over was made from, and no seed that it has given', () => {
    const first = new TicketSecret(DAY, 0)
    const [mine, kept] = [first.seed(0), first.seed(0)]
    const second = new TicketSecret(DAY, 0, mine)
    first.advance(DAY)
    second.advance(DAY)
    expect(hex(mine.secret)).toBe('00'.repeat(32))
    expect(hex(kept.secret)).not.toBe('00'.repeat(32))
    expect(hex(second.keys(DAY, 'a'))).toBe(hex(first.keys(DAY, 'a')))
  })

  it('knows when its keys change', () => {
    const secret = new TicketSecret(DAY, 0)
    const now = 3.25 * DAY
    const keys = hex(secret.keys(now, 'a'))
    expect(hex(secret.keys(now + secret.lastsMs(now) - 1, 'a'))).toBe(keys)
    expect(hex(secret.keys(now + secret.lastsMs(now), 'a'))).not.toBe(keys)
  })
})
