import { afterEach, describe, expect, it } from 'vitest'
import { KEY, TestApi, VERSIONS } from './testing/start-api.ts'

let test: TestApi
afterEach(() => test.close())

const noKeys = { keys: { none: true, includes: () => false } }
const guarded = [
  ['POST', '/v1/publish'],
  ['POST', '/v1/batch'],
  ['GET', '/v1/channels'],
  ['GET', '/v1/channels/a/history'],
  ['DELETE', '/v1/channels/a/history'],
  ['GET', '/v1/info'],
  ['GET', '/metrics'],
  ['HEAD', '/v1/info'],
] as const

describe.each(VERSIONS)('access over %s', (version) => {
  const info = (headers: Record<string, string>) =>
    test.send(version, 'GET', '/v1/info', { headers: { authorization: '', ...headers } })

  it.each([{ authorization: `Bearer ${KEY}` }, { authorization: `bearer  ${KEY}` }, { 'X-API-Key': KEY }])(
    'opens to %j',
    async (headers) => {
      test = await TestApi.start()
      expect((await info(headers)).status).toBe(200)
    },
  )

  it.each([
    [{}, 'api_key_required'],
    [{ 'X-API-Key': '' }, 'api_key_required'],
    [{ authorization: `Basic ${KEY}` }, 'api_key_required'],
    [{ authorization: 'Bearer ' }, 'api_key_required'],
    [{ authorization: `Bearer ${KEY}x` }, 'api_key_invalid'],
    [{ authorization: `Bearer ${KEY} ${KEY}` }, 'api_key_required'],
    [{ 'X-API-Key': 'wrong' }, 'api_key_invalid'],
  ] as [Record<string, string>, string][])('answers %j with %s', async (headers, code) => {
    test = await TestApi.start()
    const answer = await info(headers)
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer realm="fusewire"'])
    expect(answer.json).toEqual({ error: { code, message: expect.any(String), retryable: false } })
    // [L18]: the operator hears of it, and the log never has the key.
    expect(test.log).toEqual([['api_key_refused', { code, method: 'GET', path: '/v1/info', remoteAddress: '127.0.0.1' }]])
  })

  it.each(guarded)('asks for a key on %s %s, before it looks at the body', async (method, path) => {
    test = await TestApi.start()
    const body = method === 'POST' ? { body: '{' } : {}
    expect((await test.send(version, method, path, { headers: { authorization: '' }, ...body })).status).toBe(401)
    expect(test.application.calls).toEqual([])
  })

  it('opens the OpenAPI document to everyone', async () => {
    test = await TestApi.start()
    expect((await test.send(version, 'GET', '/v1/openapi.json', { headers: { authorization: '' } })).status).toBe(200)
  })

  it('is closed while no key is configured', async () => {
    test = await TestApi.start(noKeys)
    expect((await info({})).json).toMatchObject({ error: { code: 'api_key_required' } })
    expect((await info({ 'x-api-key': KEY })).json).toMatchObject({ error: { code: 'api_key_invalid' } })
  })

  it('needs no key from this machine in development while none is configured', async () => {
    test = await TestApi.start({ ...noKeys, openToLoopback: true })
    expect((await info({})).status).toBe(200)
    expect((await info({ 'x-api-key': 'any' })).status).toBe(200)
  })

  it('needs a key also in development once one is configured', async () => {
    test = await TestApi.start({ openToLoopback: true })
    expect((await info({})).status).toBe(401)
    expect((await info({ 'x-api-key': KEY })).status).toBe(200)
  })

  it.each(['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'])(
    'does not take a proxy on this machine for its clients: %s',
    async (name) => {
      test = await TestApi.start({ ...noKeys, openToLoopback: true })
      expect((await info({ [name]: '203.0.113.9' })).status).toBe(401)
    },
  )

  it('does not open to a web page whose domain points at this machine', async () => {
    test = await TestApi.start({ ...noKeys, openToLoopback: true })
    expect((await info(version === 'HTTP/2' ? { ':authority': 'evil.example' } : { host: 'evil.example' })).status).toBe(401)
  })
})
