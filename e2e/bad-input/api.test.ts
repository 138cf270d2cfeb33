import { ERRORS, type ErrorCode } from '@fusewire/protocol'
import { describe, expect } from 'vitest'
import { harmTest } from '../bystanders.ts'
import { API_KEY, PRODUCTION } from '../server-variants.ts'

const it = harmTest(PRODUCTION)

const JSON_TYPE = 'application/json'
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

interface BadRequest {
  readonly name: string
  readonly code: ErrorCode
  readonly body: string | Uint8Array
  readonly path?: string
  readonly type?: string
}

const BAD_REQUESTS: readonly BadRequest[] = [
  { name: 'JSON that is cut', body: '{"channel":"a","data":', code: 'malformed_message' },
  { name: 'no body', body: '', code: 'invalid_field' },
  { name: 'text that is no UTF-8', body: Buffer.from([0x22, 0xc3, 0x28, 0x22]), code: 'malformed_message' },
  { name: 'a form', body: 'channel=a&data=1', type: 'application/x-www-form-urlencoded', code: 'malformed_message' },
  { name: 'a list', body: '[]', code: 'invalid_field' },
  { name: 'no channel', body: '{"data":1}', code: 'invalid_field' },
  { name: 'no data', body: '{"channel":"a"}', code: 'invalid_field' },
  { name: 'a number as channel', body: '{"channel":1,"data":1}', code: 'invalid_field' },
  { name: 'an unknown field', body: '{"channel":"a","data":1,"chanel":"b"}', code: 'invalid_field' },
  { name: 'a number as tag', body: '{"channel":"a","data":1,"tags":{"a":1}}', code: 'invalid_field' },
  { name: 'a channel with a space', body: '{"channel":"a b","data":1}', code: 'invalid_channel' },
  { name: 'data nested too deep', body: `{"channel":"a","data":${nested(40)}}`, code: 'message_too_deep' },
  { name: 'data that are too large', body: `{"channel":"a","data":"${'x'.repeat(70_000)}"}`, code: 'message_too_large' },
  { name: 'more than anything may be', path: '/v1/batch', body: 'x'.repeat(1_200_000), code: 'message_too_large' },
  { name: 'a command that is none', path: '/v1/batch', body: '{"commands":[{"shout":{}}]}', code: 'invalid_field' },
  { name: 'nobody it is about', path: '/v1/disconnect', body: '{}', code: 'invalid_field' },
  { name: 'a procedure that is none', path: '/v1/rpc', body: '{"method":"none"}', code: 'method_not_found' },
]

describe.each(['https', 'http'] as const)('the HTTP API over %s', (scheme) => {
  it.for(BAD_REQUESTS)('answers $name with $code', async ({ body, code, path = '/v1/publish', type = JSON_TYPE }, { server }) => {
    const response = await fetch(server[scheme] + path, {
      method: 'POST',
      headers: { 'content-type': type, authorization: `Bearer ${API_KEY}` },
      body: body as string,
    })
    expect(await response.json()).toEqual({
      error: { code, message: expect.stringMatching(/./u), retryable: ERRORS[code].retryable },
    })
    expect(response.status).toBe(ERRORS[code].httpStatus)
  })

  it('publishes nothing of all that', async ({ api }) => {
    expect((await api.history('a')).position.offset).toBe(0)
  })
})
