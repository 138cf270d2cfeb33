import { ERRORS, type ErrorCode, FusewireError } from '@fusewire/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Answer, type Sent, TestApi, VERSIONS } from './testing/start-api.ts'

let test: TestApi
beforeEach(async () => {
  test = await TestApi.start()
})
afterEach(() => test.close())

const expectRefusal = (answer: Answer, code: ErrorCode, message: unknown = expect.any(String)) => {
  const { httpStatus, retryable } = ERRORS[code]
  expect({ status: answer.status, type: answer.headers['content-type'], body: answer.json }).toEqual({
    status: httpStatus,
    type: 'application/json; charset=utf-8',
    body: { error: { code, message, retryable } },
  })
  expect(test.application.calls).toEqual([])
  expect(test.log).toEqual([])
}

const tags = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`t${n}`, 'v']))
const json = { 'content-type': 'application/json' }

describe.each(VERSIONS)('refusals over %s', (version) => {
  const send = (method: string, path: string, sent?: Sent) => test.send(version, method, path, sent)

  it.each([
    '/',
    '/v1',
    '/v1/',
    '/v1/nothing',
    '/v1/publish/',
    '/V1/publish',
    '/livez/x',
    '/fusewire/v1/ws',
    '//',
    '/v1/channels/a',
  ])('answers not_found for GET and POST %s', async (path) => {
    expectRefusal(await send('GET', path), 'not_found')
    expectRefusal(await send('POST', path, { body: '{' }), 'not_found')
  })

  it.each([
    ['GET', '/v1/publish', 'POST'],
    ['PUT', '/v1/batch', 'POST'],
    ['POST', '/v1/channels?pattern=x', 'GET, HEAD'],
    ['POST', '/v1/channels/a/history', 'DELETE, GET, HEAD'],
    ['DELETE', '/v1/channels/a/presence', 'GET, HEAD'],
    ['OPTIONS', '/v1/rpc', 'POST'],
    ['PROPFIND', '/v1/info', 'GET, HEAD'],
    ['POST', '/livez', 'GET, HEAD'],
    ['PATCH', '/readyz', 'GET, HEAD'],
    ['POST', '/metrics', 'GET, HEAD'],
    ['POST', '/v1/openapi.json', 'GET, HEAD'],
  ])('answers method_not_allowed for %s %s', async (method, path, allow) => {
    const answer = await send(method, path)
    expectRefusal(answer, 'method_not_allowed', `this path takes ${allow}`)
    expect(answer.headers.allow).toBe(allow)
  })

  it.each([
    ['not JSON', '{"channel":"a"', 'the body is not valid JSON'],
    ['two JSON values', '{}{}', 'the body is not valid JSON'],
    ['JavaScript', "{channel:'a'}", 'the body is not valid JSON'],
    ['a byte order mark', '\ufeff{"channel":"a","data":1}', 'the body is not valid JSON'],
    [
      'UTF-8 cut short',
      Buffer.from([...Buffer.from('{"channel":"a","data":"'), 0xe2, 0x82, 0x22, 0x7d]),
      'the body is not valid UTF-8',
    ],
  ])('answers malformed_message for %s', async (_, body, message) => {
    expectRefusal(await send('POST', '/v1/publish', { body, headers: json }), 'malformed_message', message)
  })

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application',
    'application/jsonx',
  ])('answers malformed_message for a body of type %s', async (type) => {
    const answer = await send('POST', '/v1/publish', { body: { channel: 'a', data: 1 }, headers: { 'content-type': type } })
    expectRefusal(answer, 'malformed_message', 'the body must be JSON, sent with Content-Type: application/json')
  })

  it('takes a content type with parameters', async () => {
    const headers = { 'content-type': 'Application/JSON; charset="UTF-8"' }
    expect((await send('POST', '/v1/publish', { body: { channel: 'a', data: 1 }, headers })).status).toBe(200)
  })

  it.each([
    '/v1/publish',
    '/v1/broadcast',
    '/v1/subscribe',
    '/v1/unsubscribe',
    '/v1/disconnect',
    '/v1/revoke',
    '/v1/rpc',
    '/v1/batch',
  ])('answers invalid_field when %s has no body, or one that is no object', async (path) => {
    expectRefusal(await send('POST', path), 'invalid_field', 'body is missing')
    expectRefusal(await send('POST', path, { headers: json }), 'invalid_field', 'body is missing')
    expectRefusal(await send('POST', path, { body: '[]' }), 'invalid_field', 'body must be an object')
    expectRefusal(await send('POST', path, { body: 'null' }), 'invalid_field', 'body must be an object')
    expectRefusal(await send('POST', path, { body: '"x"' }), 'invalid_field', 'body must be an object')
  })

  it.each([
    ['publish', {}, 'channel is missing'],
    ['publish', { channel: 'a' }, 'data is missing'],
    ['publish', { channel: 1, data: 1 }, 'channel must be a string'],
    ['publish', { channel: null, data: 1 }, 'channel must be a string'],
    ['publish', { channel: '', data: 1 }, 'channel must not be empty'],
    ['publish', { channel: 'c'.repeat(256), data: 1 }, 'channel must have at most 255 characters'],
    ['publish', { channel: 'a', data: 1, tags: [] }, 'tags must be an object'],
    ['publish', { channel: 'a', data: 1, tags: null }, 'tags must be an object'],
    ['publish', { channel: 'a', data: 1, tags: { t: 1 } }, 'tags.t must be a string'],
    ['publish', { channel: 'a', data: 1, tags: { t: 'v'.repeat(256) } }, 'tags.t must have at most 255 characters'],
    ['publish', { channel: 'a', data: 1, tags: tags(17) }, 'tags must have at most 16 entries'],
    ['publish', { channel: 'a', data: 1, key: '' }, 'key must not be empty'],
    ['publish', { channel: 'a', data: 1, key: 'k'.repeat(129) }, 'key must have at most 128 characters'],
    ['publish', { channel: 'a', data: 1, tag: {} }, 'tag is unknown'],
    ['publish', { channel: ['a'], data: 1 }, 'channel must be a string'],
    ['broadcast', { channels: 'a', data: 1 }, 'channels must be an array'],
    ['broadcast', { channels: [], data: 1 }, 'channels must not be empty'],
    ['broadcast', { channels: Array(1001).fill('a'), data: 1 }, 'channels must have at most 1000 items'],
    ['broadcast', { channels: ['a', ''], data: 1 }, 'channels[1] must not be empty'],
    ['broadcast', { channels: ['a', 'b', 'a'], data: 1 }, 'channels must not name a channel twice'],
    ['broadcast', { channels: ['a'] }, 'data is missing'],
    ['subscribe', { user: 'ada' }, 'channel is missing'],
    ['subscribe', { channel: 'a' }, 'body must have either user or session'],
    ['subscribe', { channel: 'a', user: 'ada', session: 's' }, 'body must have either user or session'],
    ['unsubscribe', { channel: 'a', user: '' }, 'user must not be empty'],
    ['unsubscribe', { channel: 'a', session: 's'.repeat(65) }, 'session must have at most 64 characters'],
    ['disconnect', {}, 'body must have either user or session'],
    ['disconnect', { user: 'ada', channel: 'a' }, 'channel is unknown'],
    ['revoke', {}, 'body must have either token or user'],
    ['revoke', { token: 't1', user: 'ada' }, 'body must have either token or user'],
    ['revoke', { token: '' }, 'token must not be empty'],
    ['revoke', { token: 't1', issuedBefore: 1 }, 'body has issuedBefore, which belongs to user'],
    ['revoke', { user: 'ada', expiresInMs: 0 }, 'expiresInMs must be at least 1'],
    ['rpc', {}, 'method is missing'],
    ['rpc', { method: '' }, 'method must not be empty'],
    ['rpc', { method: 'm'.repeat(129) }, 'method must have at most 128 characters'],
    ['rpc', { method: 'sum', params: [] }, 'params is unknown'],
    ['batch', {}, 'commands is missing'],
    ['batch', { commands: [] }, 'commands must not be empty'],
    ['batch', { commands: Array(1001).fill({ disconnect: { user: 'a' } }) }, 'commands must have at most 1000 items'],
    ['batch', { commands: [{}] }, 'commands[0] must name exactly one command'],
    [
      'batch',
      { commands: [{ publish: { channel: 'a', data: 1 }, disconnect: { user: 'a' } }] },
      'commands[0] must name exactly one command',
    ],
    ['batch', { commands: [{ batch: { commands: [] } }] }, 'commands[0].batch is unknown'],
    ['batch', { commands: [{ disconnect: { user: 'a' } }, 7] }, 'commands[1] must be an object'],
    ['batch', { commands: [{ broadcast: { channels: [7], data: 1 } }] }, 'commands[0].broadcast.channels[0] must be a string'],
  ])('names the wrong field of %s %j', async (command, body, message) => {
    expectRefusal(await send('POST', `/v1/${command}`, { body }), 'invalid_field', message)
  })

  it('refuses a tag whose name is too long', async () => {
    const body = { channel: 'a', data: 1, tags: { ['t'.repeat(256)]: 'v' } }
    expectRefusal(await send('POST', '/v1/publish', { body }), 'invalid_field')
  })

  it('refuses an idempotency header that is too long', async () => {
    const headers = { 'idempotency-key': 'k'.repeat(129) }
    const answer = await send('POST', '/v1/publish', { body: { channel: 'a', data: 1 }, headers })
    expectRefusal(answer, 'invalid_field', 'idempotency-key must have at most 128 characters')
  })

  it('refuses unknown query parameters', async () => {
    expectRefusal(await send('GET', '/v1/channels?patern=a'), 'invalid_field', 'patern is unknown')
  })

  it.each([
    ['/v1/publish', 4097],
    ['/v1/rpc', 4097],
    ['/v1/subscribe', 4097],
    ['/v1/batch', 1_048_577],
    ['/v1/broadcast', 1_048_577],
  ])('answers message_too_large for a body of %s with %i bytes', async (path, size) => {
    expectRefusal(await send('POST', path, { body: '"'.padEnd(size - 1, 'x').concat('"') }), 'message_too_large')
  })

  it('answers HEAD refusals without a body', async () => {
    const answer = await send('HEAD', '/v1/nothing')
    expect([answer.status, answer.text]).toEqual([404, ''])
  })

  it('passes refusals of the engine on', async () => {
    test.application.refusals.set('a', new FusewireError('broker_unavailable', 'the broker is away'))
    const answer = await send('POST', '/v1/publish', { body: { channel: 'a', data: 1 } })
    expect([answer.status, answer.headers['retry-after'], answer.json]).toEqual([
      503,
      '1',
      { error: { code: 'broker_unavailable', message: 'the broker is away', retryable: true } },
    ])
    expect(test.log).toEqual([])
  })

  it.each([new Error('secret detail'), new FusewireError('internal_error', 'secret detail'), 'secret detail', undefined])(
    'tells nothing of an inner failure, and logs it (%s)',
    async (thrown) => {
      test.application.refusals.set('a', thrown as Error)
      test.application.publish = () => {
        throw thrown
      }
      const answer = await send('POST', '/v1/publish', { body: { channel: 'a', data: 1 } })
      expect([answer.status, answer.json]).toEqual([
        500,
        { error: { code: 'internal_error', message: ERRORS.internal_error.help, retryable: true } },
      ])
      expect(test.log).toEqual([['api_request_failed', { method: 'POST', path: '/v1/publish', error: thrown }]])
    },
  )
})
