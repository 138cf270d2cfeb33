import { ERRORS, type ErrorCode, type ServerMessage } from '@fusewire/protocol'
import { describe, expect, it } from 'vitest'
import { OneWayGate } from './one-way-gate.ts'

const error = (code: ErrorCode, channel?: string): ServerMessage => ({
  type: 'error',
  code,
  message: ERRORS[code].help,
  retryable: ERRORS[code].retryable,
  ...(channel !== undefined && { channel }),
})
const subscribed = (channel: string): ServerMessage => ({ type: 'subscribed', channel, position: { epoch: 'e', offset: 0 } })
const connected = { type: 'connected' } as ServerMessage

const decide = (channels: string[], ...messages: ServerMessage[]): string => {
  const gate = new OneWayGate(channels)
  for (const message of messages) gate.see(message)
  const { decision } = gate
  return decision.kind === 'refuse' ? `refuse ${decision.error.code}` : decision.kind
}

describe('OneWayGate', () => {
  it('waits until something is known about a channel', () => {
    expect(decide(['a'])).toBe('undecided')
    expect(decide(['a'], connected)).toBe('undecided')
    expect(decide(['a', 'b'], connected, error('permission_denied', 'a'))).toBe('undecided')
    expect(decide(['a'], connected, subscribed('a channel that the token brings'))).toBe('undecided')
  })

  it('opens with the first channel that is subscribed', () => {
    expect(decide(['a', 'b'], connected, error('permission_denied', 'a'), subscribed('b'))).toBe('open')
  })

  it('refuses what no reconnect can mend', () => {
    expect(decide(['a'], error('token_invalid'))).toBe('refuse token_invalid')
    expect(decide(['a', 'b'], connected, error('permission_denied', 'a'), error('invalid_channel', 'b'))).toBe(
      'refuse permission_denied',
    )
  })

  it('lets the client come back when that can help', () => {
    expect(decide(['a'], error('internal_error'))).toBe('retry')
    expect(decide(['a', 'b'], connected, error('permission_denied', 'a'), error('broker_unavailable', 'b'))).toBe('retry')
  })

  it('reads a disconnect by its close code: a new token is nothing that this client could get', () => {
    const disconnect = (code: 'token_expired' | 'server_draining' | 'disconnected', reconnect: boolean): ServerMessage => {
      const { closeCode } = ERRORS[code]
      return { type: 'disconnect', code, closeCode, reason: '', reconnect }
    }
    expect(decide(['a'], disconnect('token_expired', true))).toBe('refuse token_expired')
    expect(decide(['a'], disconnect('disconnected', false))).toBe('refuse disconnected')
    expect(decide(['a'], disconnect('server_draining', true))).toBe('retry')
  })

  it('decides once', () => {
    expect(decide(['a'], subscribed('a'), error('token_expired'))).toBe('open')
    const gate = new OneWayGate(['a'])
    gate.end('overloaded', 'too many')
    gate.see(subscribed('a'))
    expect(gate.decision).toEqual({ kind: 'retry' })
  })

  it('treats a code that it does not know as an internal error', () => {
    expect(decide(['a'], { type: 'error', code: 'from_the_future', message: '', retryable: false })).toBe('refuse internal_error')
  })
})
