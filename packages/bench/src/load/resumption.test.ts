import { describe, expect, it } from 'vitest'
import { DIALECTS } from './dialect.ts'
import { resumption } from './resumption.ts'

const TOLD =
  '\x81~{"type":"connected","session":"a-b","resume":"a-b.c_d","resumed":false}' +
  '\x81~{"type":"subscribed","channel":"x","position":{"epoch":"e-1.2","offset":7}}'

describe('resumption', () => {
  it('goes on with the session from the position', () => {
    const [frame] = resumption(DIALECTS.fusewire, TOLD, 'x')?.frames ?? []
    expect(frame?.toString('latin1')).toContain(
      '{"type":"connect","resume":"a-b.c_d","subscriptions":[{"channel":"x","since":{"epoch":"e-1.2","offset":7}}]}',
    )
  })

  it('takes no new session for the old one, and no gap for none', () => {
    const { isResumed } = resumption(DIALECTS.fusewire, TOLD, 'x') ?? { isResumed: () => undefined }
    expect(isResumed('{"resumed":true} {"recovered":true}')).toBe(true)
    expect(isResumed('{"resumed":false} {"recovered":true}')).toBe(false)
    expect(isResumed('{"resumed":true} {"recovered":false}')).toBe(false)
  })

  it('is nothing that the peers know', () => {
    expect(resumption(DIALECTS.plain, 'ok', 'x')).toBeUndefined()
  })

  it('does not pass over a server that has not said what it takes', () => {
    expect(() => resumption(DIALECTS.fusewire, '{"type":"error"}', 'x')).toThrow('nothing to resume')
  })
})
