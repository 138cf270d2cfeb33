import { createServer, type Server } from 'node:net'
import { describeWith, freePorts, type RedisServer, startNats, startRedis } from '@fusewire/testkit'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { ConfigurationError } from '../../config/configuration-error.ts'
import { type ReachOptions, reachRedis } from './reach-redis.ts'
import { parseRedisAddress } from './redis-address.ts'
import { findSentinelMaster } from './redis-topology.ts'
import { REDIS_KINDS, type StartedRedis } from './testing/redis-kinds.ts'

const SECRET = 'hunter2'

/** What the operator reads. */
const refusal = async (addresses: readonly string[], options: Partial<ReachOptions> = {}): Promise<string> => {
  const reaching = reachRedis({ addresses, mode: 'standalone', master: 'mymaster', timeoutMs: 1000, ...options })
  const error = await reaching.then(
    () => new Error('it was reached'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConfigurationError)
  const { message } = error as ConfigurationError
  expect(message).not.toContain(SECRET)
  return message
}

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

describe('where there is no Redis', () => {
  it('says that nobody listens', async () => {
    const [port] = await freePorts(1)
    expect(await refusal([`redis://:${SECRET}@127.0.0.1:${port}`])).toBe(
      `broker[0]: redis://127.0.0.1:${port} takes no connections; start Redis there, or correct the address`,
    )
  })

  it('says that the host is not known', async () => {
    expect(await refusal(['redis://redis.invalid'])).toContain('redis://redis.invalid:6379 has a host that no name server knows')
  })

  it('says that nothing is answered, and does not wait for ever', async () => {
    const port = await listen(createServer(() => undefined))
    expect(await refusal([`redis://127.0.0.1:${port}`])).toContain('has not answered within 1000 ms (brokerTimeoutMs)')
  })

  it('says that the connection is closed, and that TLS may be meant', async () => {
    const port = await listen(createServer((socket) => socket.destroy()))
    expect(await refusal([`redis://127.0.0.1:${port}`])).toMatch(/closes the connection; write rediss:\/\//u)
  })

  it('says that it is an HTTP server', async () => {
    const port = await listen(createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
    expect(await refusal([`redis://127.0.0.1:${port}`])).toBe(
      `broker[0]: redis://127.0.0.1:${port} is an HTTP server; correct the address`,
    )
  })

  it('says it of each address', async () => {
    const [one, other] = await freePorts(2)
    const message = await refusal([`redis://127.0.0.1:${one}`, `redis://127.0.0.1:${other}`], { mode: 'cluster' })
    expect(message.split('\n')).toHaveLength(2)
  })
})

describeWith(['nats-server'], 'where there is NATS', () => {
  it('says so, with TLS in the address too', async () => {
    const nats = await startNats()
    onTestFinished(() => nats.stop())
    for (const scheme of ['redis', 'rediss'])
      expect(await refusal([`${scheme}://:${SECRET}@127.0.0.1:${nats.port}`])).toBe(
        `broker[0]: ${scheme}://127.0.0.1:${nats.port} is a NATS server; correct the address`,
      )
  })
})

describeWith(['redis-server'], 'a Redis that is not what the address says', () => {
  let open: RedisServer
  let guarded: RedisServer
  beforeAll(async () => {
    open = await startRedis()
    guarded = await startRedis({ password: 'right' })
  })
  afterAll(async () => {
    await open.stop()
    await guarded.stop()
  })

  it('is fine where everything is right', async () => {
    expect(await reachRedis({ addresses: [guarded.url], mode: 'standalone', master: '', timeoutMs: 1000 })).toEqual({
      evicts: false,
    })
    await open.command('CONFIG', 'SET', 'maxmemory', '100mb')
    await open.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    expect(await reachRedis({ addresses: [open.url], mode: 'standalone', master: '', timeoutMs: 1000 })).toEqual({ evicts: true })
  })

  it('refuses a wrong password and a missing one, at once', async () => {
    expect(await refusal([`redis://:${SECRET}@127.0.0.1:${guarded.port}`], { timeoutMs: 600_000 })).toContain(
      `redis://127.0.0.1:${guarded.port} refuses the user or password`,
    )
    expect(await refusal([`redis://127.0.0.1:${guarded.port}`], { timeoutMs: 600_000 })).toContain('wants a password')
  })

  it('has no such database', async () => {
    expect(await refusal([`${open.url}/99`])).toContain('has no database 99; correct the number at the end of the address')
  })

  it('speaks no TLS', async () => {
    expect(await refusal([open.url.replace('redis:', 'rediss:')])).toContain('look whether Redis speaks TLS there')
  })

  it('is no server of a cluster, and no sentinel', async () => {
    expect(await refusal([open.url], { mode: 'cluster' })).toContain('is no server of a Redis Cluster; leave redisMode out')
    expect(await refusal([open.url], { mode: 'sentinel' })).toContain('is no sentinel, whose usual port is 26379')
  })

  it('is a replica', async () => {
    const replica = await startRedis()
    onTestFinished(() => replica.stop())
    await replica.command('REPLICAOF', '127.0.0.1', open.port)
    expect(await refusal([replica.url])).toContain('is a replica, which takes no writes')
  })

  it('is waited for while it starts', async () => {
    const [port = 0] = await freePorts(1)
    const reaching = reachRedis({ addresses: [`redis://127.0.0.1:${port}`], mode: 'standalone', master: '', timeoutMs: 20_000 })
    const late = await startRedis({ port })
    onTestFinished(() => late.stop())
    await expect(reaching).resolves.toEqual({ evicts: false })
  })
})

for (const { title, programs, start } of REDIS_KINDS)
  describeWith(programs, `a Redis of kind ${title}`, () => {
    let redis: StartedRedis
    beforeAll(async () => {
      redis = await start()
    })
    afterAll(() => redis.stop())

    it('is fine in its mode, and said to be what it is in another', async () => {
      const { urls, mode } = redis
      await expect(reachRedis({ addresses: urls, mode, master: 'mymaster', timeoutMs: 5000 })).resolves.toEqual({ evicts: false })
      for (const other of (['standalone', 'sentinel', 'cluster'] as const).filter((name) => name !== mode))
        expect(await refusal(urls.slice(0, 1), { mode: other })).toMatch(/set redisMode to|leave redisMode out/u)
    })

    it.runIf(title === 'sentinel')('knows no master of another name', async () => {
      expect(await refusal(redis.urls, { mode: 'sentinel', master: 'other' })).toContain('knows no master of the name other')
    })

    it.runIf(title === 'sentinel')('is asked without the user of the servers where it does not know that', async () => {
      const addresses = redis.urls.map((url) => url.replace('//', `//fusewire:${SECRET}@`))
      await expect(reachRedis({ addresses, mode: 'sentinel', master: 'mymaster', timeoutMs: 5000 })).resolves.toEqual({
        evicts: false,
      })
      const { host, port, ...access } = parseRedisAddress(addresses[0] ?? '', 'sentinel')
      const find = findSentinelMaster([{ host, port }], { ...access, timeoutMs: 5000 }, 'mymaster')
      expect(await find([])).toMatchObject([{ endpoint: { host: '127.0.0.1' } }])
    })
  })
