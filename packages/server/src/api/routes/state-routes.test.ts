import { FusewireError } from '@fusewire/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Answer, KEY, type Sent, TestApi, VERSIONS } from '../testing/start-api.ts'

const PATH = '/v1/channels/doc:1/state'
const ETAG = '"e%2F1:7"'
const PAGE = 'https://app.example.com'

let test: TestApi
beforeEach(async () => {
  test = await TestApi.start()
})
afterEach(() => test.close())

const error = (code: string) => expect.objectContaining({ error: expect.objectContaining({ code }) })

describe.each(VERSIONS)('the document of a channel over %s', (version) => {
  const send = (method: string, sent: Sent = {}, path = PATH): Promise<Answer> => test.send(version, method, path, sent)
  const get = (headers: Record<string, string> = {}, path = PATH): Promise<Answer> => send('GET', { headers }, path)

  describe('[D4] read', () => {
    it('comes with its position, as an entity tag too, and may be kept for as long as it is asked for again', async () => {
      const { status, headers, json } = await get()
      expect([status, json]).toEqual([
        200,
        { position: { epoch: 'e/1', offset: 7 }, document: { a: 1 }, time: 1_700_000_000_000 },
      ])
      expect(headers).toMatchObject({ etag: ETAG, 'cache-control': 'no-cache' })
      expect(test.application.calls).toEqual([['state', 'doc:1']])
    })

    it.each([ETAG, `W/${ETAG}`, `"other", ${ETAG}`, '*'])('is not sent again to who has it by If-None-Match: %s', async (tag) => {
      const { status, headers, text } = await get({ 'if-none-match': tag })
      expect([status, headers.etag, text]).toEqual([304, ETAG, ''])
    })

    it.each(['"e%2F1:6"', '"e/1:7"', 'e%2F1:7', ''])('is sent to who has another by If-None-Match: %s', async (tag) => {
      expect((await get({ 'if-none-match': tag })).status).toBe(200)
    })

    it('may be null', async () => {
      test.application.document = { ...test.application.document, document: null }
      expect((await get()).json).toMatchObject({ document: null })
    })

    it('is not found where there is none, and refused where none is kept', async () => {
      test.application.document = { position: { epoch: 'e/1', offset: 0 } }
      const none = await get()
      expect([none.status, none.json]).toEqual([404, error('not_found')])
      const disabled = await get({}, '/v1/channels/chat:1/state')
      expect([disabled.status, disabled.json]).toEqual([409, error('feature_disabled')])
    })

    it('answers HEAD with the same headers', async () => {
      const { status, headers, text } = await send('HEAD')
      expect([status, headers.etag, text]).toEqual([200, ETAG, ''])
    })

    it('is for clients by their own token, or without one, as far as they may subscribe', async () => {
      expect((await get({ authorization: 'Bearer a.client.token' })).status).toBe(200)
      expect((await get({ authorization: '' })).status).toBe(200)
      const wrong = await get({ authorization: 'Bearer wrong' })
      expect([wrong.status, wrong.json]).toEqual([401, error('token_invalid')])
      expect(test.application.calls).toEqual([
        ['stateFor', 'a.client.token', 'doc:1'],
        ['stateFor', undefined, 'doc:1'],
        ['stateFor', 'wrong', 'doc:1'],
      ])
      expect(test.log).toEqual([['token_refused', expect.objectContaining({ code: 'token_invalid', channel: 'doc:1' })]])
    })

    it('takes X-API-Key for a key and nothing else', async () => {
      expect((await get({ authorization: '', 'x-api-key': KEY })).status).toBe(200)
      const wrong = await get({ authorization: '', 'x-api-key': 'wrong' })
      expect([wrong.status, wrong.json]).toEqual([401, error('api_key_invalid')])
      expect(test.log).toEqual([['api_key_refused', expect.objectContaining({ code: 'api_key_invalid', method: 'GET' })]])
    })

    it('is for clients of one address only so often; the application has no limit', async () => {
      const readers: string[] = []
      test.admitReader = (address) => {
        readers.push(address)
        throw new FusewireError('rate_limited', undefined, { retryAfterMs: 1001 })
      }
      const refused = await get({ authorization: 'Bearer wrong', origin: PAGE })
      expect([refused.status, refused.json]).toEqual([429, error('rate_limited')])
      expect(refused.headers).toMatchObject({ 'retry-after': '2', 'access-control-allow-origin': PAGE })
      expect((await get()).status).toBe(200)
      expect(readers).toEqual([expect.stringContaining('127.0.0.1')])
      expect(test.application.calls).toEqual([['state', 'doc:1']])
    })

    it('is for pages of allowed origins, refusals too', async () => {
      const allowed = await get({ authorization: '', origin: PAGE })
      expect(allowed.headers).toMatchObject({
        'access-control-allow-origin': PAGE,
        'access-control-expose-headers': 'etag, retry-after',
        vary: 'origin',
      })
      const wrong = await get({ authorization: 'Bearer wrong', origin: PAGE })
      expect([wrong.status, wrong.headers['access-control-allow-origin']]).toEqual([401, PAGE])
      const evil = await get({ authorization: 'Bearer a.client.token', origin: 'https://evil.example' })
      expect([evil.status, evil.json]).toEqual([403, error('origin_not_allowed')])
      expect(evil.headers).not.toHaveProperty('access-control-allow-origin')
      expect(test.log.at(-1)).toEqual(['origin_refused', expect.objectContaining({ origin: 'https://evil.example' })])
    })

    it('says to a page what it may send, and no more than reading', async () => {
      const preflight = await send('OPTIONS', { headers: { authorization: '', origin: PAGE } })
      expect(preflight.status).toBe(204)
      expect(preflight.headers).toMatchObject({
        'access-control-allow-origin': PAGE,
        'access-control-allow-methods': 'GET, HEAD',
        'access-control-allow-headers': expect.stringMatching(/authorization.*if-none-match/),
      })
      const evil = await send('OPTIONS', { headers: { authorization: '', origin: 'https://evil.example' } })
      expect(evil.status).toBe(403)
    })
  })

  describe('[D3] written', () => {
    it('is replaced by PUT and patched by PATCH, with the new tag in the answer', async () => {
      const replaced = await send('PUT', { body: { b: 2 } })
      expect([replaced.status, replaced.json]).toEqual([200, { position: { epoch: 'e1', offset: 1 }, duplicate: false }])
      expect(replaced.headers.etag).toBe('"e1:1"')
      const headers = { 'content-type': 'application/merge-patch+json', 'idempotency-key': 'k' }
      expect((await send('PATCH', { headers, body: { b: null } })).status).toBe(200)
      expect((await send('PATCH', { body: '{"b":3}' })).status).toBe(200)
      expect(test.application.calls).toEqual([
        ['publish', 'doc:1', { data: { b: 2 } }, {}],
        ['publish', 'doc:1', { data: { b: null }, patch: true }, { idempotencyKey: 'k' }],
        ['publish', 'doc:1', { data: { b: 3 }, patch: true }, {}],
      ])
    })

    it.each(['PUT', 'PATCH'])('becomes null by %s of null, and is not written without a body', async (method) => {
      expect((await send(method, { body: 'null' })).status).toBe(200)
      const json = { 'content-type': 'application/json' }
      for (const headers of [{}, json]) {
        const empty = await send(method, { headers })
        expect([empty.status, empty.json]).toEqual([400, error('invalid_field')])
      }
      const draft = method === 'PUT' ? { data: null } : { data: null, patch: true }
      expect(test.application.calls).toEqual([['publish', 'doc:1', draft, {}]])
    })

    it('is left alone when If-Match names another, and the newest one comes along', async () => {
      expect((await send('PATCH', { headers: { 'if-match': ETAG }, body: {} })).status).toBe(200)
      expect(test.application.calls).toEqual([
        ['publish', 'doc:1', { data: {}, patch: true }, { ifPosition: { epoch: 'e/1', offset: 7 } }],
      ])
      const { status, json } = await send('PUT', { headers: { 'if-match': '"e%2F1:6"' }, body: {} })
      expect([status, json]).toEqual([
        409,
        { error: expect.objectContaining({ code: 'conflict' }), position: { epoch: 'e/1', offset: 7 }, document: { a: 1 } },
      ])
    })

    it.each([
      ['if-match', '*'],
      ['if-match', 'W/"e:1"'],
      ['if-match', '"e:1", "e:2"'],
      ['if-match', '"e"'],
      ['if-match', '"%E0%A4:1"'],
      ['if-none-match', '*'],
    ])('is not written under a condition that cannot be kept: %s: %s', async (name, value) => {
      const { status, json } = await send('PUT', { headers: { [name]: value }, body: {} })
      expect([status, json]).toEqual([400, error('invalid_field')])
      expect(test.application.calls).toEqual([])
    })

    it('is removed by DELETE', async () => {
      expect((await send('DELETE')).status).toBe(204)
      test.application.document = { position: { epoch: 'e/1', offset: 0 } }
      const again = await send('DELETE')
      expect([again.status, again.json]).toEqual([404, error('not_found')])
    })

    it.each(['PUT', 'PATCH', 'DELETE'])('needs a key for %s', async (method) => {
      const headers = { authorization: 'Bearer a.client.token' }
      const { status, json } = await send(method, { headers, ...(method !== 'DELETE' && { body: {} }) })
      expect([status, json]).toEqual([401, error('api_key_invalid')])
    })

    it('is refused where none is kept', async () => {
      const { status, json } = await send('PUT', { body: {} }, '/v1/channels/chat:1/state')
      expect([status, json]).toEqual([409, error('feature_disabled')])
      expect(test.application.calls).toEqual([])
    })

    it('takes merge patches by PATCH alone', async () => {
      const headers = { 'content-type': 'application/merge-patch+json' }
      const { status, json } = await send('PUT', { headers, body: {} })
      expect([status, json]).toEqual([400, error('malformed_message')])
    })
  })
})
