import { describe, expect, it } from 'vitest'
import { negotiateDeflate } from './negotiate-deflate.ts'

const ACCEPTED = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'

describe('negotiateDeflate (RFC 7692 section 7.1)', () => {
  it.each([
    ['permessage-deflate'],
    ['permessage-deflate; client_max_window_bits'],
    ['permessage-deflate; client_max_window_bits=10; client_no_context_takeover'],
    ['permessage-deflate; server_no_context_takeover'],
    ['x-webkit-deflate-frame, permessage-deflate'],
  ])('accepts %s without context takeover on either side', (offer) => {
    expect(negotiateDeflate(offer)).toBe(ACCEPTED)
  })

  it('repeats a window of full size', () => {
    expect(negotiateDeflate('permessage-deflate; server_max_window_bits=15')).toBe(`${ACCEPTED}; server_max_window_bits=15`)
  })

  it.each([
    [undefined],
    ['x-other'],
    ['permessage-deflate; server_max_window_bits=14'],
    ['permessage-deflate; server_max_window_bits'],
    ['permessage-deflate; client_max_window_bits=7'],
    ['permessage-deflate; client_max_window_bits=16'],
    ['permessage-deflate; server_no_context_takeover=1'],
    ['permessage-deflate; client_no_context_takeover; client_no_context_takeover'],
    ['permessage-deflate; constructor'],
    ['permessage-deflate; unknown=1'],
  ])('declines %s, and goes on without compression', (offer) => {
    expect(negotiateDeflate(offer)).toBeUndefined()
  })

  it('takes the first offer that it can', () => {
    expect(negotiateDeflate('permessage-deflate; server_max_window_bits=10, permessage-deflate')).toBe(ACCEPTED)
  })

  it.each([[''], ['permessage-deflate;'], ['='], ['permessage-deflate; a="'], ['a b']])(
    'throws a SyntaxError at "%s"',
    (offer) => {
      expect(() => negotiateDeflate(offer)).toThrow(SyntaxError)
    },
  )
})
