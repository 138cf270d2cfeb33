import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestApi, VERSIONS } from '../testing/start-api.ts'

let test: TestApi
beforeEach(async () => {
  test = await TestApi.start()
})
afterEach(() => test.close())

describe.each(VERSIONS)('channels over %s', (version) => {
  const get = (path: string) => test.send(version, 'GET', path)

  it('names the nodes whose channels are not in the list', async () => {
    test.application.unreachable = ['n2']
    expect((await get('/v1/channels')).json).toEqual({
      channels: [{ channel: 'chat:lobby', subscribers: 2 }],
      unreachable: ['n2'],
    })
  })

  it('lists channels, all or by pattern', async () => {
    expect((await get('/v1/channels')).json).toEqual({ channels: [{ channel: 'chat:lobby', subscribers: 2 }] })
    await get('/v1/channels?pattern=chat:*')
    await get('/v1/channels?pattern=chat%3A**')
    expect(test.application.calls).toEqual([
      ['channels', undefined],
      ['channels', 'chat:*'],
      ['channels', 'chat:**'],
    ])
  })

  it('tells who is in a channel, and how many', async () => {
    expect((await get('/v1/channels/chat:lobby/presence')).json).toEqual({
      members: [{ session: 's1', user: 'ada', info: { mood: 'good' } }, { session: 's2' }],
    })
    expect((await get('/v1/channels/chat:lobby/presence/stats')).json).toEqual({ sessions: 3, users: 2 })
  })

  it('reads history with its defaults', async () => {
    expect((await get('/v1/channels/news/history')).json).toEqual({
      position: { epoch: 'e1', offset: 7 },
      publications: [{ offset: 7, data: { n: 7 }, time: 1_700_000_000_000 }],
    })
    expect(test.application.calls).toEqual([['history', 'news', { limit: 100, reverse: false }]])
  })

  it('reads history since a position, and says whether it is whole', async () => {
    test.application.page = { ...test.application.page, complete: false }
    const answer = await get('/v1/channels/news/history?sinceEpoch=e1&sinceOffset=3&limit=0&reverse=true')
    expect(answer.json).toMatchObject({ recovered: false })
    expect(test.application.calls).toEqual([['history', 'news', { since: { epoch: 'e1', offset: 3 }, limit: 0, reverse: true }]])
  })

  it('answers with a history of several megabytes', async () => {
    const publications = Array.from({ length: 1000 }, (_, n) => ({ offset: n + 1, data: 'ü'.repeat(2000), time: n }))
    test.application.page = { ...test.application.page, publications }
    const answer = await get('/v1/channels/news/history?limit=1000')
    expect((answer.json as { publications: unknown[] }).publications).toEqual(publications)
  })

  it('clears history', async () => {
    const answer = await test.send(version, 'DELETE', '/v1/channels/news/history')
    expect([answer.status, answer.text]).toEqual([204, ''])
    // Some clients send a content type with everything.
    const typed = await test.send(version, 'DELETE', '/v1/channels/news/history', {
      headers: { 'content-type': 'application/json' },
    })
    expect(typed.status).toBe(204)
    expect(test.application.calls).toEqual([
      ['clearHistory', 'news'],
      ['clearHistory', 'news'],
    ])
  })

  it.each(['a/b', 'ü', 'a?b#c', '100%', '😀'.repeat(127), 'ﬀ'.repeat(255)])(
    'finds the channel %s in the path',
    async (channel) => {
      expect((await get(`/v1/channels/${encodeURIComponent(channel)}/presence`)).status).toBe(200)
      expect(test.application.calls).toEqual([['presence', channel]])
    },
  )

  it.each([
    ['limit=1001', 'limit must be at most 1000'],
    ['limit=-1', 'limit must be an integer'],
    ['limit=', 'limit must be an integer'],
    ['limit=1e2', 'limit must be an integer'],
    ['limit=ten', 'limit must be an integer'],
    ['limit=1&limit=2', 'limit is given more than once'],
    ['sinceOffset=9007199254740992&sinceEpoch=e', 'sinceOffset must be at most 9007199254740991'],
    ['sinceOffset=1', 'sinceEpoch is missing: a position has both'],
    ['sinceEpoch=e', 'sinceOffset is missing: a position has both'],
    ['sinceEpoch=&sinceOffset=1', 'sinceEpoch must not be empty'],
    ['reverse=1', 'reverse must be true or false'],
    ['revers=true', 'revers is unknown'],
  ])('refuses history?%s', async (query, message) => {
    const answer = await get(`/v1/channels/news/history?${query}`)
    expect([answer.status, answer.json]).toEqual([400, { error: { code: 'invalid_field', message, retryable: false } }])
    expect(test.application.calls).toEqual([])
  })

  it.each([
    ['/v1/channels?pattern=', 'pattern must not be empty'],
    ['/v1/channels?pattern=*a*b*c*d*', 'pattern must have at most 4 wildcards'],
    [`/v1/channels/${'c'.repeat(256)}/presence`, 'channel must have at most 255 characters'],
    ['/v1/channels//presence', 'channel must not be empty'],
    [`/v1/channels/${'c'.repeat(5000)}/presence`, 'a part of the path is too long'],
    ['/v1/channels/%ff/presence', 'the path is not valid percent-encoding'],
    ['/v1/channels/%zz/history', 'the path is not valid percent-encoding'],
  ])('refuses %s', async (path, message) => {
    const answer = await get(path)
    expect([answer.status, answer.json]).toEqual([400, { error: { code: 'invalid_field', message, retryable: false } }])
  })
})
