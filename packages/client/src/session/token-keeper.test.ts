import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ClientError } from '../client-error.ts'
import { harness, pass, settled } from '../testing/harness.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe('tokens', () => {
  test('getToken is asked before the first connection', async () => {
    const getToken = vi.fn(async () => 'good')
    const { client, server } = harness({ getToken })
    server.tokens = new Set(['good'])
    void client.connect()
    await pass()
    expect(client.connection.status).toBe('connected')
    expect(getToken.mock.calls).toEqual([['connect']])
    await client.close()
  })

  test('a refused token is replaced once', async () => {
    const getToken = vi.fn(async () => 'new')
    const { client, server } = harness({ token: 'old', getToken })
    server.tokens = new Set(['new'])
    void client.connect()
    await pass()
    expect(client.connection.status).toBe('connected')
    expect(getToken.mock.calls).toEqual([['expired']])
    await client.close()
  })

  test('[L13] a second refusal stops the client and is reported', async () => {
    const getToken = vi.fn(async () => 'bad')
    const { client, server, errors, live } = harness({ getToken })
    server.tokens = new Set(['good'])
    const connected = settled(client.connect())
    await pass(60_000)
    expect(await connected).toMatchObject({ error: { code: 'token_expired', retryable: false } })
    expect(getToken).toHaveBeenCalledTimes(2)
    expect(client.connection).toMatchObject({ status: 'closed', error: { code: 'token_expired' } })
    expect(errors).toEqual([client.connection.error])
    expect(errors[0]).toMatchObject({ kind: 'authentication' })
    expect(live.size).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a getToken that fails is asked again after a while, one that gives up stops the client', async () => {
    const results = [
      Promise.reject(new Error('no network')),
      Promise.reject(Object.assign(new Error('logged out'), { retryable: false })),
    ]
    results.map((result) => result.catch(() => {}))
    const getToken = vi.fn(() => results.shift() as Promise<string>)
    const { client } = harness({ getToken })
    const connected = settled(client.connect())
    await pass()
    expect(client.connection).toMatchObject({ status: 'waiting', error: { code: 'token_unavailable' } })
    await pass(1000)
    expect(await connected).toMatchObject({ error: { code: 'token_unavailable', cause: { message: 'logged out' } } })
    expect(client.connection.status).toBe('closed')
  })

  test('a token that comes too late for its attempt serves the next one', async () => {
    const gifts: ((token: string) => void)[] = []
    const getToken = () => new Promise<string>((resolve) => gifts.push(resolve))
    const { client, server } = harness({ getToken, connectTimeoutMs: 1000 })
    void settled(client.connect())
    await pass(1000)
    expect(client.connection).toMatchObject({ status: 'waiting', error: { code: 'token_unavailable' } })
    gifts[0]?.('late')
    await pass(1000)
    expect(client.connection.status).toBe('connected')
    expect(gifts).toHaveLength(1)
    expect(server.received[0]).toMatchObject({ token: 'late' })
    await client.close()
  })

  test("a token that comes after close is nobody's", async () => {
    const gifts: ((token: string) => void)[] = []
    const { client, server } = harness({ getToken: () => new Promise((resolve) => gifts.push(resolve)) })
    void settled(client.connect())
    await pass()
    await client.close()
    gifts[0]?.('late')
    await pass(10_000)
    expect(client.connection.status).toBe('closed')
    expect(server.lines).toHaveLength(0)
  })

  test('a token is renewed ahead of its end, without a new connection', async () => {
    const getToken = vi.fn(async () => 'next')
    const { client, server } = harness({ token: 'first', getToken })
    server.expiresAt = Date.now() + 100_000
    void client.connect()
    await pass(74_999)
    expect(getToken).not.toHaveBeenCalled()
    server.expiresAt = Date.now() + 1_000_000
    await pass(15_001)
    expect(getToken.mock.calls).toEqual([['expired']])
    expect(server.received.filter(({ type }) => type === 'refresh')).toEqual([
      { type: 'refresh', token: 'next', id: expect.any(Number) },
    ])
    expect(server.lines).toHaveLength(1)
    await client.close()
  })

  test('a renewal that fails is reported and tried again before the end', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    let calls = 0
    const getToken = async () => {
      if (++calls < 3) throw new Error('busy')
      return 'next'
    }
    const { client, server, errors } = harness({ token: 'first', getToken })
    server.expiresAt = Date.now() + 100_000
    void client.connect()
    await pass(99_000)
    expect(errors.map((error) => (error as ClientError).code)).toEqual(['token_unavailable', 'token_unavailable'])
    expect(server.count('refresh')).toBe(1)
    await client.close()
  })

  test('a token that has ended while the line was down is not shown again', async () => {
    // Otherwise the next try may be due only after what this test waits for.
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const getToken = vi.fn(async () => 'next')
    const { client, server, network } = harness({ token: 'first', getToken, transports: ['websocket'] })
    server.expiresAt = Date.now() + 20_000
    void client.connect()
    await pass()
    network.webSocket = 'refuse'
    server.cut()
    await pass(25_000)
    delete network.webSocket
    await pass(30_000)
    expect(server.received.filter(({ type }) => type === 'connect').at(-1)).toMatchObject({ token: 'next' })
    await client.close()
  })
})
