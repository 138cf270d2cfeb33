import { FusewireError } from '@fusewire/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestApi, VERSIONS } from './testing/start-api.ts'

let test: TestApi
beforeEach(async () => {
  test = await TestApi.start()
})
afterEach(() => test.close())

const invalid = { code: 'invalid_channel', message: expect.any(String), retryable: false }

describe.each(VERSIONS)('commands over %s', (version) => {
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    test.send(version, 'POST', path, { body, headers })

  it('publishes and answers with the position', async () => {
    const answer = await post('/v1/publish', { channel: 'news', data: { hello: ['wörld', 1, null] }, tags: { lang: 'en' } })
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    expect(answer.json).toEqual({ position: { epoch: 'e1', offset: 1 }, duplicate: false })
    expect(test.application.calls).toEqual([
      ['publish', 'news', { data: { hello: ['wörld', 1, null] }, tags: { lang: 'en' } }, {}],
    ])
  })

  it.each([null, false, 0, '', [], {}])('publishes %j as data', async (data) => {
    expect((await post('/v1/publish', { channel: 'news', data })).status).toBe(200)
    expect(test.application.calls).toEqual([['publish', 'news', { data }, {}]])
  })

  it('passes data on as it is, fields named like those of prototypes among them', async () => {
    await post('/v1/publish', '{"channel":"news","data":{"__proto__":{"a":1},"constructor":{"prototype":2}}}')
    const [[, , draft]] = test.application.calls as [[string, string, object]]
    expect(JSON.stringify(draft)).toBe('{"data":{"__proto__":{"a":1},"constructor":{"prototype":2}}}')
    expect(({} as { a?: number }).a).toBeUndefined()
  })

  it('takes the idempotency key from the body or the header', async () => {
    const body = { channel: 'news', data: 1 }
    await post('/v1/publish', { ...body, key: 'k1' })
    const again = await post('/v1/publish', body, { 'Idempotency-Key': 'k1' })
    expect(again.json).toEqual({ position: { epoch: 'e1', offset: 1 }, duplicate: true })
    const same = await post('/v1/publish', { ...body, key: 'k1' }, { 'Idempotency-Key': 'k1' })
    expect(same.json).toMatchObject({ duplicate: true })
    const different = await post('/v1/publish', { ...body, key: 'k2' }, { 'Idempotency-Key': 'k1' })
    expect(different.status).toBe(400)
    expect(different.json).toMatchObject({
      error: { code: 'invalid_field', message: 'key and the header Idempotency-Key are different' },
    })
  })

  it('[D3] publishes a patch, and only at a position, alone or in a batch', async () => {
    const publish = { channel: 'doc:1', data: { a: null }, patch: true, ifPosition: { epoch: 'e/1', offset: 7 } }
    expect((await post('/v1/publish', publish)).status).toBe(200)
    expect(test.application.calls).toEqual([
      ['publish', 'doc:1', { data: { a: null }, patch: true }, { ifPosition: { epoch: 'e/1', offset: 7 } }],
    ])
    const late = { ...publish, ifPosition: { epoch: 'e/1', offset: 6 } }
    const conflict = {
      error: { code: 'conflict', message: expect.any(String), retryable: false },
      position: { epoch: 'e/1', offset: 7 },
      document: { a: 1 },
    }
    const answer = await post('/v1/publish', late)
    expect([answer.status, answer.json]).toEqual([409, conflict])
    expect((await post('/v1/batch', { commands: [{ publish: late }] })).json).toEqual({ results: [conflict] })
  })

  it('broadcasts a patch', async () => {
    await post('/v1/broadcast', { channels: ['doc:1', 'doc:2'], data: { a: 1 }, patch: true })
    expect(test.application.calls).toContainEqual(['publish', 'doc:2', { data: { a: 1 }, patch: true }, {}])
  })

  it('broadcasts, and answers for each channel', async () => {
    test.application.refusals.set('b c', new FusewireError('invalid_channel'))
    const answer = await post('/v1/broadcast', { channels: ['a', 'b c', 'd'], data: 1, tags: { x: 'y' }, key: 'k' })
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({
      results: [
        { channel: 'a', position: { epoch: 'e1', offset: 1 }, duplicate: false },
        { channel: 'b c', error: invalid },
        { channel: 'd', position: { epoch: 'e1', offset: 1 }, duplicate: false },
      ],
    })
    expect(test.application.calls).toContainEqual(['publish', 'd', { data: 1, tags: { x: 'y' } }, { idempotencyKey: 'k' }])
  })

  it('broadcasts to a thousand channels with names as long as they may be', async () => {
    const channels = Array.from({ length: 1000 }, (_, n) => `${n}`.padStart(255, 'c'))
    const answer = await post('/v1/broadcast', { channels, data: 1 })
    expect((answer.json as { results: unknown[] }).results).toHaveLength(1000)
  })

  it('hides what went wrong inside one channel of a broadcast, and logs it', async () => {
    test.application.refusals.set('b', new Error('secret detail'))
    const answer = await post('/v1/broadcast', { channels: ['a', 'b'], data: 1 })
    expect(answer.text).not.toContain('secret')
    expect(answer.json).toMatchObject({
      results: [{ channel: 'a' }, { channel: 'b', error: { code: 'internal_error', retryable: true } }],
    })
    expect(test.log).toEqual([['api_command_failed', { error: new Error('secret detail') }]])
  })

  it('subscribes, unsubscribes and disconnects users and sessions', async () => {
    const { application } = test
    expect((await post('/v1/subscribe', { user: 'ada', channel: 'news' })).json).toEqual({ sessions: 2 })
    expect((await post('/v1/unsubscribe', { session: 's1', channel: 'news' })).json).toEqual({ sessions: 1 })
    expect((await post('/v1/disconnect', { user: 'ada' })).json).toEqual({ sessions: 0 })
    expect(application.calls).toEqual([
      ['subscribeUser', { user: 'ada' }, 'news'],
      ['unsubscribeUser', { session: 's1' }, 'news'],
      ['disconnectUser', { user: 'ada' }],
    ])
  })

  it('gives a user or a session another end, or none', async () => {
    const { application } = test
    expect((await post('/v1/refresh', { user: 'ada', expiresInMs: 60_000 })).json).toEqual({ sessions: 4 })
    expect((await post('/v1/refresh', { session: 's1', expiresInMs: 0 })).json).toEqual({ sessions: 4 })
    expect((await post('/v1/refresh', { user: 'ada', expiresInMs: null })).json).toEqual({ sessions: 4 })
    expect(application.calls).toEqual([
      ['refreshUser', { user: 'ada' }, 60_000],
      ['refreshUser', { session: 's1' }, 0],
      ['refreshUser', { user: 'ada' }, undefined],
    ])
    // Nobody is to live for ever because a field was forgotten.
    for (const body of [{ user: 'ada' }, { user: 'ada', expiresInMs: -1 }, { expiresInMs: 1 }, { user: 'ada', expiresInMs: '1' }])
      expect((await post('/v1/refresh', body)).status).toBe(400)
  })

  it('names the nodes that have not answered', async () => {
    test.application.unreachable = ['n2']
    for (const [path, body] of [
      ['/v1/disconnect', { user: 'ada' }],
      ['/v1/subscribe', { user: 'ada', channel: 'news' }],
      ['/v1/unsubscribe', { user: 'ada', channel: 'news' }],
      ['/v1/refresh', { user: 'ada', expiresInMs: 0 }],
      ['/v1/revoke', { user: 'ada' }],
    ] as const)
      expect(await post(path, body)).toMatchObject({ status: 200, json: { sessions: expect.any(Number), unreachable: ['n2'] } })
  })

  it('revokes a token, or the tokens of a user', async () => {
    const { application } = test
    expect((await post('/v1/revoke', { token: 't1' })).json).toEqual({ sessions: 3 })
    expect((await post('/v1/revoke', { user: 'ada', issuedBefore: 1_767_225_600_000, expiresInMs: 60_000 })).json).toEqual({
      sessions: 3,
    })
    expect(application.calls).toEqual([
      ['revoke', { token: 't1' }, {}],
      ['revoke', { user: 'ada', issuedBefore: 1_767_225_600_000 }, { expiresInMs: 60_000 }],
    ])
  })

  it('calls handlers of the embedding program', async () => {
    expect((await post('/v1/rpc', { method: 'sum', data: [1, 2, 3] })).json).toEqual({ data: 6 })
    test.application.handlers.nothing = () => undefined
    expect((await post('/v1/rpc', { method: 'nothing' })).json).toEqual({})
    test.application.handlers.bytes = () => new Uint8Array([1, 2, 3])
    expect((await post('/v1/rpc', { method: 'bytes' })).json).toEqual({ data: 'AQID' })
    const unknown = await post('/v1/rpc', { method: 'toString' })
    expect([unknown.status, unknown.json]).toMatchObject([404, { error: { code: 'method_not_found' } }])
  })

  it('answers internal_error for results that JSON cannot carry, and logs why', async () => {
    test.application.handlers.big = () => 1n
    const answer = await post('/v1/rpc', { method: 'big' })
    expect([answer.status, answer.json]).toMatchObject([500, { error: { code: 'internal_error' } }])
    expect(test.log).toMatchObject([['api_request_failed', { method: 'POST', path: '/v1/rpc' }]])
  })

  it('carries out a batch in order, with a result or an error for each command', async () => {
    test.application.refusals.set('b c', new FusewireError('invalid_channel'))
    const answer = await post('/v1/batch', {
      commands: [
        { publish: { channel: 'a', data: 1 } },
        { publish: { channel: 'b c', data: 2 } },
        { broadcast: { channels: ['a', 'b c'], data: 3 } },
        { subscribe: { user: 'ada', channel: 'a' } },
        { unsubscribe: { user: 'ada', channel: 'a' } },
        { disconnect: { session: 's1' } },
        { rpc: { method: 'sum', data: [4, 5] } },
        { rpc: { method: 'missing' } },
        { publish: { channel: 'a', data: 6 } },
      ],
    })
    expect(answer.json).toEqual({
      results: [
        { result: { position: { epoch: 'e1', offset: 1 }, duplicate: false } },
        { error: invalid },
        {
          result: {
            results: [
              { channel: 'a', position: { epoch: 'e1', offset: 2 }, duplicate: false },
              { channel: 'b c', error: invalid },
            ],
          },
        },
        { result: { sessions: 2 } },
        { result: { sessions: 1 } },
        { result: { sessions: 0 } },
        { result: { data: 9 } },
        { error: { code: 'method_not_found', message: expect.any(String), retryable: false } },
        { result: { position: { epoch: 'e1', offset: 3 }, duplicate: false } },
      ],
    })
    expect(test.application.calls.map(([name]) => name)).toEqual([
      ...[
        'publish',
        'publish',
        'publish',
        'publish',
        'subscribeUser',
        'unsubscribeUser',
        'disconnectUser',
        'rpc',
        'rpc',
        'publish',
      ],
    ])
  })

  it('makes a whole batch repeatable by one key', async () => {
    const commands = [{ publish: { channel: 'a', data: 1 } }, { publish: { channel: 'a', data: 2 } }]
    await post('/v1/batch', { commands }, { 'idempotency-key': 'k' })
    const again = await post('/v1/batch', { commands }, { 'idempotency-key': 'k' })
    expect(again.json).toEqual({
      results: [
        { result: { position: { epoch: 'e1', offset: 1 }, duplicate: true } },
        { result: { position: { epoch: 'e1', offset: 2 }, duplicate: true } },
      ],
    })
  })

  it('refuses a whole batch for one wrong field, and has done nothing', async () => {
    const commands = [{ publish: { channel: 'a', data: 1 } }, { publish: { channel: '', data: 1 } }]
    const answer = await post('/v1/batch', { commands })
    expect(answer.json).toMatchObject({
      error: { code: 'invalid_field', message: 'commands[1].publish.channel must not be empty' },
    })
    expect(test.application.calls).toEqual([])
  })

  it('holds each message in a broadcast or batch to the size of a message', async () => {
    const data = 'x'.repeat(4096)
    const broadcast = await post('/v1/broadcast', { channels: ['a'], data })
    expect([broadcast.status, broadcast.json]).toMatchObject([413, { error: { code: 'message_too_large' } }])
    const small = { publish: { channel: 'a', data: 'x'.repeat(3000) } }
    const batch = await post('/v1/batch', {
      commands: [small, { publish: { channel: 'a', data } }, { rpc: { method: 'sum', data } }, small],
    })
    expect(batch.json).toMatchObject({
      results: [
        { result: {} },
        { error: { code: 'message_too_large' } },
        { error: { code: 'message_too_large' } },
        { result: {} },
      ],
    })
  })

  it('refuses data nested deeper than a message may be', async () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
    expect((await post('/v1/publish', { channel: 'a', data: nested(7) })).status).toBe(200)
    const deep = { error: { code: 'message_too_deep' } }
    expect((await post('/v1/publish', { channel: 'a', data: nested(8) })).json).toMatchObject(deep)
    expect((await post('/v1/broadcast', { channels: ['a'], data: nested(8) })).json).toMatchObject(deep)
    expect((await post('/v1/rpc', { method: 'sum', data: nested(8) })).json).toMatchObject(deep)
    expect((await post('/v1/publish', `{"channel":"a","data":${'['.repeat(2000)}${']'.repeat(2000)}}`)).json).toMatchObject(deep)
    const batch = await post('/v1/batch', { commands: [{ publish: { channel: 'a', data: nested(8) } }] })
    expect(batch.json).toMatchObject({ results: [deep] })
  })
})
