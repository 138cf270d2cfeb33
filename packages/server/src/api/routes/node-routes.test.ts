import { FusewireError } from '@fusewire/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { TestApi, VERSIONS } from '../testing/start-api.ts'

let test: TestApi
afterEach(() => test.close())

const anonymous = { headers: { authorization: '' } }

describe.each(VERSIONS)('the node over %s', (version) => {
  it('tells about itself, and about the others', async () => {
    const other = {
      node: 'n2',
      version: '1.2.4',
      state: 'draining',
      startedAt: 1_700_000_000_001,
      host: 'host-2',
      worker: 3,
      connections: 1,
      sessions: 2,
      subscriptions: 3,
      channels: 4,
    } as const
    const { node, ...own } = { ...other, node: 'n1', protocolVersion: 1, development: false }
    test = await TestApi.start({ info: () => ({ node, ...own, nodes: [{ node, ...own }, other] }) })
    expect((await test.send(version, 'GET', '/v1/info')).json).toMatchObject({ node: 'n1', nodes: [{ node: 'n1' }, other] })
    await test.close()

    test = await TestApi.start()
    const answer = await test.send(version, 'GET', '/v1/info')
    expect(answer.json).toEqual({
      node: 'n1',
      version: '1.2.3',
      protocolVersion: 1,
      development: false,
      state: 'serving',
      startedAt: 1_700_000_000_000,
      host: 'host-1',
      connections: 4,
      sessions: 5,
      subscriptions: 6,
      channels: 7,
      nodes: [],
    })
  })

  it('leaves when it is asked to, and needs a key for that', async () => {
    let asked = 0
    const draining = { node: 'n1', connections: 4, delayMs: 0, windowMs: 5000, timeoutMs: 10_000 }
    test = await TestApi.start({
      drain: () => {
        asked++
        return draining
      },
    })
    expect((await test.send(version, 'POST', '/v1/drain', anonymous)).status).toBe(401)
    expect(asked).toBe(0)
    const answer = await test.send(version, 'POST', '/v1/drain')
    expect([answer.status, answer.json]).toEqual([202, draining])
    expect(asked).toBe(1)
  })

  it('has another node leave, or says that there is none', async () => {
    test = await TestApi.start({
      drain: async (node = 'n1') => {
        if (node === 'n9') throw new FusewireError('not_found', 'there is no such node')
        return { node, connections: 4, delayMs: 0, windowMs: 5000, timeoutMs: 10_000 }
      },
    })
    const drain = (body: unknown) => test.send(version, 'POST', '/v1/drain', { body })
    expect(await drain({})).toMatchObject({ status: 202, json: { node: 'n1' } })
    expect(await drain({ node: 'n2' })).toMatchObject({ status: 202, json: { node: 'n2', windowMs: 5000 } })
    expect(await drain({ node: 'n9' })).toMatchObject({ status: 404, json: { error: { code: 'not_found' } } })
  })

  it('has the clients of a user or a session come back elsewhere, while nobody leaves', async () => {
    let asked = 0
    test = await TestApi.start({
      drain: () => {
        asked++
        throw new Error('nobody is to leave')
      },
    })
    const drain = (body: unknown) => test.send(version, 'POST', '/v1/drain', { body })
    expect(await drain({ user: 'ada' })).toMatchObject({ status: 200, json: { sessions: 5 } })
    test.application.unreachable = ['n2']
    expect(await drain({ session: 's1' })).toMatchObject({ status: 200, json: { sessions: 5, unreachable: ['n2'] } })
    expect(test.application.calls).toEqual([
      ['moveUser', { user: 'ada' }],
      ['moveUser', { session: 's1' }],
    ])
    for (const body of [{ user: 'ada', session: 's1' }, { node: 'n2', user: 'ada' }, { user: '' }, { nodes: 'n2' }, [], 'n2'])
      expect(await drain(body)).toMatchObject({ status: 400 })
    expect(asked).toBe(0)
  })

  it('serves metrics as text', async () => {
    test = await TestApi.start()
    const answer = await test.send(version, 'GET', '/metrics')
    expect([answer.status, answer.text]).toEqual([200, 'fusewire_sessions 5\n'])
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  })

  it('has no metrics when they are turned off', async () => {
    test = await TestApi.start({ metrics: undefined } as never)
    expect((await test.send(version, 'GET', '/metrics')).json).toMatchObject({ error: { code: 'not_found' } })
  })

  it('answers health checks without a key', async () => {
    test = await TestApi.start()
    for (const path of ['/livez', '/readyz']) {
      const answer = await test.send(version, 'GET', path, anonymous)
      expect([answer.status, answer.json]).toEqual([200, { status: 'ok' }])
      const head = await test.send(version, 'HEAD', path, anonymous)
      expect([head.status, head.text]).toEqual([200, ''])
    }
  })

  it('says what keeps it from being ready, while it lives', async () => {
    test = await TestApi.start({
      readiness: () => [
        new FusewireError('server_draining', 'this node is leaving'),
        new FusewireError('broker_unavailable', 'no broker'),
      ],
    })
    const answer = await test.send(version, 'GET', '/readyz', anonymous)
    expect([answer.status, answer.headers['retry-after'], answer.json]).toEqual([
      503,
      '1',
      {
        error: { code: 'server_draining', message: 'this node is leaving', retryable: true },
        reasons: ['this node is leaving', 'no broker'],
      },
    ])
    expect((await test.send(version, 'GET', '/livez', anonymous)).status).toBe(200)
  })
})
