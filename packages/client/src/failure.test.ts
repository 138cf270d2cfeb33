import { ERRORS } from '@fusewire/protocol'
import { expect, test } from 'vitest'
import { closeFailure, httpFailure, messageFailure } from './failure.ts'

const disconnect = (closeCode: number, code = 'whatever', reconnect = true) =>
  messageFailure({ type: 'disconnect', code, closeCode, reason: '', reconnect }).kind

test('[C2] the range of a close code decides, for codes that this client does not know as well', () => {
  expect(disconnect(4000, 'internal_error')).toBe('transient')
  expect(disconnect(4077, 'something_new')).toBe('transient')
  expect(disconnect(4102, 'token_expired')).toBe('authentication')
  expect(disconnect(4155, 'something_new')).toBe('authentication')
  expect(disconnect(4206, 'disconnected', false)).toBe('fatal')
  expect(disconnect(4207, 'origin_not_allowed', false)).toBe('fatal')
})

test('another transport is tried when this one is turned off', () => {
  expect(disconnect(4208, 'unsupported_transport', false)).toBe('unreachable')
  expect(
    httpFailure(404, JSON.stringify({ error: { code: 'unsupported_transport', message: '', retryable: false } }), null).kind,
  ).toBe('unreachable')
})

test('a slow line is no reason to stop', () => {
  expect(disconnect(4204, 'connect_timeout', false)).toBe('transient')
})

test('a session that was taken over by a late attempt of this very client is taken back', () => {
  expect(disconnect(4205, 'session_replaced', false)).toBe('transient')
})

test('how long the server asks to wait is kept', () => {
  const drain = messageFailure({
    type: 'disconnect',
    code: 'server_draining',
    closeCode: 4001,
    reason: 'bye',
    reconnect: true,
    retryAfterMs: 2500,
  })
  expect(drain.retryAfterMs).toBe(2500)
  expect(httpFailure(503, '', '3').retryAfterMs).toBe(3000)
  expect(httpFailure(503, '', 'Fri, 31 Dec 1999 23:59:59 GMT').retryAfterMs).toBeUndefined()
})

test('standard close codes that blame the line leave room for another transport, those that blame the client stop', () => {
  for (const code of [1000, 1001, 1002, 1005, 1006, 1011, 1015]) expect(closeFailure(code, '').kind).toBe('unreachable')
  for (const code of [1003, 1007, 1008, 1009]) expect(closeFailure(code, '').kind).toBe('fatal')
  expect(closeFailure(1009, '').code).toBe('message_too_large')
})

test('a refused connect is classed by its code, an unknown one by whether it can be retried', () => {
  const refused = (code: string, retryable: boolean) => messageFailure({ type: 'error', code, message: '', retryable }).kind
  expect(refused('token_invalid', false)).toBe('authentication')
  expect(refused('token_revoked', false)).toBe('authentication')
  expect(refused('overloaded', true)).toBe('transient')
  expect(refused('invalid_field', false)).toBe('fatal')
  expect(refused('something_new', true)).toBe('transient')
  expect(refused('constructor', false)).toBe('fatal')
  expect(refused('__proto__', true)).toBe('transient')
})

test('every error of the table that the server answers over HTTP finds its class', () => {
  const kinds = Object.entries(ERRORS).map(([code, { httpStatus, retryable }]) => {
    const body = JSON.stringify({ error: { code, message: 'x', retryable } })
    return [code, httpFailure(httpStatus, body, null).kind] as const
  })
  const of = (kind: string) => kinds.filter(([, found]) => found === kind).map(([code]) => code)
  expect(of('authentication')).toEqual(['token_required', 'token_invalid', 'token_expired', 'token_revoked'])
  expect(of('unreachable')).toEqual(['unsupported_transport', 'not_found', 'method_not_allowed'])
  expect(of('transient')).toEqual(
    expect.arrayContaining(['unknown_connection', 'out_of_sequence', 'connect_timeout', 'overloaded']),
  )
  expect(of('fatal')).toEqual(expect.arrayContaining(['origin_not_allowed', 'disconnected', 'message_too_large']))
})

test('an answer without our body is not our server: elsewhere may be one', () => {
  for (const status of [301, 403, 404, 405, 502, 503, 504]) expect(httpFailure(status, '<html>', null).kind).toBe('unreachable')
  for (const body of ['', 'null', '1', '[]', '{"error":1}', '{"error":null}', '{"error":{}}']) {
    expect(httpFailure(404, body, null).kind).toBe('unreachable')
  }
  expect(httpFailure(401, '', null).kind).toBe('authentication')
  for (const status of [408, 429, 500]) expect(httpFailure(status, '', null).kind).toBe('transient')
})
