import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FusewireError } from '@fusewire/protocol'
import { describeWith, eventually, freePorts, type RedisServer, startRedis } from '@fusewire/testkit'
import { afterEach, expect, it } from 'vitest'
import { developmentCertificate } from '../../tls/development-certificate.ts'
import { WatchedBroker } from './testing/watched-broker.ts'

const TIMEOUT_MS = 3_000
const STATE = { state: { ttlMs: 60_000, maxDocumentBytes: 10_000 } }

/** What a publication came to. */
const outcomeOf = (publishing: Promise<unknown>): Promise<unknown> =>
  publishing.then(
    () => 'published',
    (error: unknown) => (error instanceof FusewireError ? error.code : error),
  )

describeWith(['redis-server'], 'RedisBroker and one Redis', () => {
  const opened: AsyncDisposable[] = []

  const startServer = async (options?: Parameters<typeof startRedis>[0]): Promise<RedisServer> => {
    const server = await startRedis(options)
    opened.push(server)
    return server
  }
  const startBroker = async ({ url }: Pick<RedisServer, 'url'>, node = 'a'): Promise<WatchedBroker> => {
    const broker = await WatchedBroker.start({ mode: 'standalone', urls: [url] }, { node, timeoutMs: TIMEOUT_MS })
    opened.push(broker)
    return broker
  }
  const untilBack = ({ connection }: WatchedBroker): Promise<unknown> =>
    eventually(() => expect(connection.problem()).toBeUndefined(), { timeoutMs: 20_000 })

  afterEach(async () => {
    for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]()
  })

  it('tells of another epoch when Redis has lost everything', async () => {
    const server = await startServer()
    const watched = await startBroker(server)
    await watched.broker.subscribe('a')
    const { position } = await watched.publish('a', 1, STATE)
    await server.kill()
    await eventually(() => expect(watched.connection.problem()?.code).toBe('broker_unavailable'))
    await server.restart()
    await untilBack(watched)
    await eventually(() => expect(watched.interruptions).toEqual(['a']))
    const page = await watched.history('a', position)
    expect(page).toMatchObject({ complete: false, publications: [] })
    expect(page.position.epoch).not.toBe(position.epoch)
    expect(await watched.broker.state('a')).toEqual({ position: page.position })
    expect((await watched.publish('a', 2)).position).toEqual({ ...page.position, offset: 1 })
    expect(watched.heard.map(({ data }) => data)).toEqual([1, 2])
  })

  it('stays connected when somebody else publishes in a channel', async () => {
    const server = await startServer()
    const watched = await startBroker(server)
    const problems: unknown[] = []
    watched.connection.watch({ away: (problem) => problems.push(problem) })
    await watched.broker.subscribe('a')
    await watched.publish('a', 1)
    for (const text of ['', 'A', 'A{', 'A$7', 'P', 'E', '?']) await server.command('SPUBLISH', 'fusewire:{a}:p', text)
    await watched.publish('a', 2)
    await eventually(() => expect(watched.heard.map(({ data }) => data)).toEqual([1, 2]))
    expect(problems).toEqual([])
  })

  it('tells of another epoch after a restart, and keeps what Redis has kept', async () => {
    const server = await startServer({ appendonly: true, config: { appendfsync: 'always' } })
    const watched = await startBroker(server)
    await watched.broker.subscribe('a')
    await watched.publish('a', { n: 1 }, STATE)
    const { position } = await watched.publish('a', { m: 2 }, { ...STATE, patch: true })
    await server.kill()
    await server.restart()
    await untilBack(watched)
    await eventually(() => expect(watched.interruptions).toEqual(['a']))
    const page = await watched.history('a', position)
    expect(page.complete).toBe(false)
    expect(page.position.epoch).not.toBe(position.epoch)
    expect((await watched.history('a')).publications.map(({ data }) => data)).toEqual([{ n: 1 }, { m: 2 }])
    expect(await watched.broker.state('a')).toMatchObject({ position: page.position, document: { n: 1, m: 2 } })
    expect((await watched.publish('a', { m: 3 }, { ...STATE, patch: true })).position).toEqual({ ...page.position, offset: 3 })
  })

  it('tells of another epoch when somebody has emptied Redis', async () => {
    const server = await startServer()
    const watched = await startBroker(server)
    await watched.broker.subscribe('a')
    const { position } = await watched.publish('a', 1)
    await server.command('FLUSHALL')
    const next = await watched.publish('a', 2)
    expect(next.position.epoch).not.toBe(position.epoch)
    expect(next.position.offset).toBe(1)
    expect(watched.interruptions).toContain('a')
    await eventually(() => expect(watched.heard.map(({ data }) => data)).toContain(2))
    expect((await watched.history('a', position)).complete).toBe(false)
  })

  it('refuses in time what Redis does not answer, and at once while that is known; takes no late answer', async () => {
    const server = await startServer()
    const watched = await startBroker(server)
    await watched.broker.subscribe('a')
    await watched.publish('a', 'before')
    server.suspend()
    const startedAt = performance.now()
    const hung = await Promise.all([1, 2, 3].map((n) => outcomeOf(watched.publish('a', n))))
    const took = performance.now() - startedAt
    expect(hung).toEqual(['broker_unavailable', 'broker_unavailable', 'broker_unavailable'])
    expect(took).toBeGreaterThan(TIMEOUT_MS / 2)
    expect(watched.connection.problem()?.code).toBe('broker_unavailable')
    expect(await outcomeOf(watched.publish('a', 'refused'))).toBe('broker_unavailable')
    server.wake()
    await untilBack(watched)
    expect(await outcomeOf(watched.publish('a', 'after'))).toBe('published')
    await eventually(() => expect(watched.heard.at(-1)?.data).toBe('after'))
    // What was written before may have been carried out; what was refused at once was not.
    const kept = (await watched.history('a')).publications.map(({ data }) => data)
    expect(kept.filter((data) => typeof data === 'string')).toEqual(['before', 'after'])
    expect(new Set(kept).size).toBe(kept.length)
    if (kept.length > 2) expect(watched.interruptions).toEqual(['a'])
  })

  it('publishes nothing twice, and loses nothing that it has answered, when connections break', async () => {
    const server = await startServer()
    const watched = await startBroker(server)
    const other = await startBroker(server, 'b')
    await other.broker.subscribe('a')
    const published = new Set<number>()
    let breaks = 0
    for (let n = 0; n < 400; n += 20) {
      const outcomes = Array.from({ length: 20 }, (_, index) => outcomeOf(watched.publish('a', n + index)))
      if (n % 80 === 40) {
        await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
        breaks++
      }
      for (const [index, outcome] of (await Promise.all(outcomes)).entries()) {
        if (outcome === 'published') published.add(n + index)
        else expect(outcome).toBe('broker_unavailable')
      }
      await untilBack(watched)
    }
    expect(breaks).toBeGreaterThan(3)
    const kept = (await watched.history('a')).publications.map(({ data }) => Number(data))
    expect(new Set(kept).size).toBe(kept.length)
    expect(kept).toEqual([...kept].sort((a, b) => a - b))
    expect([...published].filter((n) => !kept.includes(n))).toEqual([])
  })

  it('misses nothing silently when its subscriptions are cut', async () => {
    const server = await startServer()
    const watched = await startBroker(server)
    const other = await startBroker(server, 'b')
    const channels = Array.from({ length: 50 }, (_, index) => `c${index}`)
    await Promise.all(channels.map((channel) => watched.broker.subscribe(channel)))
    await Promise.all(channels.map((channel) => other.publish(channel, 1)))
    await eventually(() => expect(watched.heard).toHaveLength(50))
    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await untilBack(other)
    for (const channel of channels.slice(0, 25)) await outcomeOf(other.publish(channel, 2))
    await untilBack(watched)
    // Each was either heard, or is told to be missing.
    await eventually(() => {
      const got = new Set([
        ...watched.heard.filter(({ data }) => data === 2).map(({ channel }) => channel),
        ...watched.interruptions,
      ])
      for (const channel of channels.slice(0, 25)) expect(got).toContain(channel)
    })
    await Promise.all(channels.map((channel) => other.publish(channel, 3)))
    await eventually(() => expect(watched.heard.filter(({ data }) => data === 3)).toHaveLength(50))
  })

  it('says that something is missing when Redis has dropped what is to be read', async () => {
    const server = await startServer()
    const watched = await startBroker(server)
    const { position } = await watched.publish('a', 1)
    await watched.publish('a', 2)
    await server.command('DEL', 'fusewire:{a}:h')
    expect(await watched.history('a', position)).toMatchObject({ complete: false, publications: [] })
    await watched.publish('a', 3)
    expect((await watched.history('a', position)).complete).toBe(false)
    const { position: last } = await watched.publish('a', 4)
    await watched.publish('a', 5)
    expect(await watched.history('a', last)).toMatchObject({ complete: true, publications: [{ data: 5 }] })
  })

  it('says what is wrong with a Redis that it cannot use', async () => {
    const server = await startServer({ password: 'right' })
    const url = new URL(server.url)
    url.password = 'wrong-secret'
    const failed = async (address: string): Promise<unknown> => {
      const watched = new WatchedBroker({ mode: 'standalone', urls: [address] }, { timeoutMs: TIMEOUT_MS })
      return watched.broker
        .start({ publication: () => undefined, interrupted: () => undefined, announcement: () => undefined })
        .then(
          () => watched.broker.close(),
          (error: unknown) => error,
        )
    }
    const refused = await failed(url.href)
    expect(refused).toMatchObject({
      code: 'broker_unavailable',
      message: expect.stringContaining('refuses the user or password'),
    })
    expect(JSON.stringify(refused, Object.getOwnPropertyNames(refused))).not.toContain('wrong-secret')
    const replica = await startServer({ config: { replicaof: `127.0.0.1 ${server.port}`, masterauth: 'right' } })
    expect(await failed(replica.url)).toMatchObject({ message: expect.stringContaining('is a replica') })
    await server.kill()
    expect(await failed(server.url)).toMatchObject({ message: expect.stringContaining('cannot be reached') })
  })

  it('needs no more than the permissions that docs/redis.md names', async () => {
    const server = await startServer()
    const page = readFileSync(new URL('../../../../../docs/redis.md', import.meta.url), 'utf8')
    const command = /^ACL SETUSER .*$/mu.exec(page)?.[0] ?? ''
    await server.command(...command.split(' '))
    await server.command('ACL', 'SETUSER', 'default', 'off')
    const watched = await startBroker({ url: `redis://fusewire:password@127.0.0.1:${server.port}` })
    await watched.broker.subscribe('a')
    await watched.publish('a', { n: 1 }, { ...STATE, idempotencyKey: 'k' })
    await watched.publish('a', { n: 'x'.repeat(6_000) }, { ...STATE, patch: true })
    await watched.publish('a', { n: 'y'.repeat(6_000) }, { ...STATE, patch: true })
    expect((await watched.history('a')).publications).toHaveLength(3)
    expect(await watched.broker.removeDocument('a')).toBe(true)
    await watched.broker.clearHistory('a')
    await watched.broker.announce({ type: 'join', channel: 'a', member: { session: 's' } })
    watched.broker.unsubscribe('a')
  })

  it('speaks TLS, and only with a server that the authority vouches for', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fusewire-redis-tls-'))
    opened.push({ [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }) })
    const { certificateFile } = await developmentCertificate(folder, Date.now())
    const pairFile = join(folder, 'development.pem')
    const [tlsPort = 0] = await freePorts(1)
    const tls = {
      'tls-port': String(tlsPort),
      'tls-cert-file': pairFile,
      'tls-key-file': pairFile,
      'tls-ca-cert-file': certificateFile,
    }
    await startServer({ config: { ...tls, 'tls-auth-clients': 'no' } })
    const address = { mode: 'standalone', urls: [`rediss://127.0.0.1:${tlsPort}`] } as const
    const ca = readFileSync(certificateFile, 'utf8')
    const watched = await WatchedBroker.start(address, { timeoutMs: TIMEOUT_MS, ca })
    opened.push(watched)
    await watched.broker.subscribe('a')
    await watched.publish('a', 'x')
    expect(watched.heard.map(({ data }) => data)).toEqual(['x'])
    await expect(WatchedBroker.start(address, { timeoutMs: TIMEOUT_MS })).rejects.toMatchObject({ code: 'broker_unavailable' })
  })

  it('refuses what needs memory when Redis has none left, and changes nothing', async () => {
    const server = await startServer()
    const watched = await startBroker(server)
    const { position } = await watched.publish('a', 1)
    await server.command('CONFIG', 'SET', 'maxmemory', '1')
    expect(await outcomeOf(watched.publish('a', 2))).toBe('broker_unavailable')
    expect(await watched.history('a', position)).toEqual({ position, publications: [], complete: true })
    await server.command('CONFIG', 'SET', 'maxmemory', '0')
    expect((await watched.publish('a', 3)).position).toEqual({ ...position, offset: 2 })
  })

  it('loads its functions again where they were removed', async () => {
    const server = await startServer()
    const watched = await startBroker(server)
    await watched.publish('a', 0)
    await server.command('FUNCTION', 'FLUSH')
    const published = await Promise.all([1, 2, 3].map((n) => watched.publish('a', n)))
    expect(published.map(({ position }) => position.offset)).toEqual([2, 3, 4])
  })

  it('keeps the patches of one node in their order when some have to be measured', async () => {
    const server = await startServer()
    const watched = await startBroker(server)
    const other = await startBroker(server, 'b')
    const options = { state: { ttlMs: 60_000, maxDocumentBytes: 460 }, patch: true } as const
    await Promise.all(
      [watched, other].flatMap((each, node) =>
        Array.from({ length: 60 }, (_, n) =>
          each.publish('a', { [`n${node}`]: n, filler: 'x'.repeat(n % 4 === 0 ? 150 : 0) }, options),
        ),
      ),
    )
    const { publications } = await watched.history('a')
    for (const name of ['n0', 'n1']) {
      const numbers = publications.map(({ data }) => (data as Record<string, number>)[name]).filter((n) => n !== undefined)
      expect(numbers).toEqual(Array.from({ length: 60 }, (_, n) => n))
    }
    expect((await watched.broker.state('a')).document).toMatchObject({ n0: 59, n1: 59 })
  })

  it('merges patches into their base before there are many, and loses none', async () => {
    const server = await startServer()
    const watched = await startBroker(server)
    const options = { state: { ttlMs: 60_000, maxDocumentBytes: 100_000 }, patch: true } as const
    for (let n = 0; n < 500; n += 50)
      await Promise.all(
        Array.from({ length: 50 }, (_, index) => watched.publish('a', { [`n${n + index}`]: n + index, list: [] }, options)),
      )
    await eventually(async () => expect(Number(await server.command('LLEN', 'fusewire:{a}:d'))).toBeLessThan(250))
    const { document } = await watched.broker.state('a')
    expect(document).toEqual({ ...Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`n${n}`, n])), list: [] })
  })
})
