import type { Channel, ClientError, ClientOptions, FusewireClient, Publication } from '@fusewire/client'
import { eventually } from '@fusewire/testkit'
import { describe, expect, onTestFinished } from 'vitest'
import { FusewireProcess } from './fusewire-process.ts'
import { Program } from './program.ts'
import { codecOf, ROUTES, sdkClient } from './sdk-client.ts'
import { serverTest } from './server-test.ts'
import { PRODUCTION, signToken } from './server-variants.ts'

const it = serverTest(PRODUCTION)

const open = async (
  endpoints: string | readonly string[],
  user: string,
  options: ClientOptions = {},
): Promise<FusewireClient> => {
  const client = sdkClient(endpoints, { token: await signToken(user), ...options })
  onTestFinished(() => client.close())
  return client
}

const collect = (channel: Channel): Publication[] => {
  const publications: Publication[] = []
  channel.on('publication', (publication) => publications.push(publication))
  return publications
}

const NOT_TRUSTING = `
  import { FusewireClient } from '@fusewire/client'
  const client = new FusewireClient(process.argv[1], { maxAttempts: 1 })
  await client.connect().catch(({ code, message }) => console.log(code + ': ' + message))
  await client.close()
`

describe.each(ROUTES)('the SDK in Node over $transport, $scheme, $encoding', ({ transport, scheme, encoding }) => {
  const name = (room: string): string => `chat:${room}-${transport}-${scheme}`
  const connect = (server: FusewireProcess, user: string): Promise<FusewireClient> =>
    open(server[scheme], user, { transports: [transport], ...codecOf(encoding) })

  it('connects, subscribes, publishes, reads history and presence, hears who joins and leaves', async ({ server, api }) => {
    const [alice, bob] = await Promise.all([connect(server, 'alice'), connect(server, 'bob')])
    expect(await alice.connect()).toMatchObject({ user: 'alice', resumed: false })
    expect(alice.connection).toMatchObject({ status: 'connected', transport, endpoint: server[scheme], user: 'alice' })
    expect(await alice.ping()).toBeGreaterThan(0)

    const room = alice.channel(name('room'), { presence: true })
    const publications = collect(room)
    const seen: string[] = []
    room.on('join', ({ user }) => seen.push(`+${user}`))
    room.on('leave', ({ user }) => seen.push(`-${user}`))
    expect(await room.subscribe()).toMatchObject({ recovered: false, wasRecovering: false, position: { offset: 0 } })

    const bobsRoom = bob.channel(name('room'))
    await bobsRoom.subscribe()
    await eventually(() => expect(seen).toEqual(['+bob']))
    expect((await room.presence()).map(({ user }) => user).sort()).toEqual(['alice', 'bob'])

    expect(await bobsRoom.publish({ text: 'ahoj', emoji: '🙂' })).toMatchObject({ position: { offset: 1 } })
    await api.publish(name('room'), 'from the backend')
    await eventually(() => expect(publications).toHaveLength(2))
    expect(publications).toMatchObject([
      { offset: 1, data: { text: 'ahoj', emoji: '🙂' }, sender: { user: 'bob' } },
      { offset: 2, data: 'from the backend' },
    ])
    expect((await room.history({ reverse: true, limit: 1 })).publications).toMatchObject([{ offset: 2 }])

    await bob.close()
    await eventually(() => expect(seen).toEqual(['+bob', '-bob']))
    await room.unsubscribe()
    await api.publish(name('room'), 'unheard')
    await alice.ping()
    expect(publications).toHaveLength(2)
  })

  it('filters by tags, iterates, and is refused by code', async ({ server, api }) => {
    const client = await connect(server, 'alice')
    const tagged = collect(client.channel(name('tags'), { tags: { lang: 'cs' } }))
    await client.channel(name('tags'), { tags: { lang: 'cs' } }).subscribe()
    const iterated: unknown[] = []
    const loop = (async () => {
      for await (const { data } of client.channel(name('loop'))) if (iterated.push(data) === 3) break
    })()
    await eventually(async () => expect((await api.presence(name('loop'))).members).toHaveLength(1))
    await api.publish(name('tags'), 'hello', { tags: { lang: 'en' } })
    await api.publish(name('tags'), 'ahoj', { tags: { lang: 'cs' } })
    for (const n of [1, 2, 3, 4]) await api.publish(name('loop'), n)
    await loop
    expect(iterated).toEqual([1, 2, 3])
    await eventually(() => expect(tagged.map(({ data }) => data)).toEqual(['ahoj']))
    await eventually(async () => expect((await api.presence(name('loop'))).members).toEqual([]))

    await expect(client.rpc('nothing', 1)).rejects.toMatchObject({ code: 'method_not_found', retryable: false })
    await expect(client.channel('news').publish('x')).rejects.toMatchObject({ code: 'permission_denied' })
    await expect(client.channel('private:x').subscribe()).rejects.toMatchObject({ code: 'permission_denied' })
    await expect(client.channel('no good').subscribe()).rejects.toMatchObject({ code: 'invalid_channel' })
    expect(client.connection.status).toBe('connected')
  })

  it('resumes after interrupt() with what it has missed, unnoticed by others, and publishes once', async ({ server, api }) => {
    const [client, witness] = await Promise.all([connect(server, 'alice'), open(server.https, 'bob')])
    const channel = client.channel<number>(name('resume'))
    const publications = collect(channel)
    const resumed: boolean[] = []
    client.on('message', (message) => message.type === 'connected' && resumed.push(message.resumed))
    await channel.subscribe()
    const left: unknown[] = []
    const watched = witness.channel(name('resume'), { presence: true })
    watched.on('leave', (member) => left.push(member))
    await watched.subscribe()

    const total = 30
    for (let n = 0; n < total; n++) {
      if (n % 10 === 5) client.interrupt()
      // Half of them are its own, some of which fall into a cut.
      if (n % 2) void channel.publish(n)
      else await api.publish(name('resume'), n)
    }
    await eventually(() => expect(publications).toHaveLength(total))
    expect(publications.map(({ offset }) => offset)).toEqual(Array.from({ length: total }, (_, n) => n + 1))
    expect(publications.map(({ data }) => data).sort((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: total }, (_, n) => n),
    )
    expect(resumed.slice(1).length).toBeGreaterThan(0)
    expect(resumed.slice(1)).not.toContain(false)
    expect(left).toEqual([])
  })
})

describe('the SDK in Node', () => {
  it('goes on without a gap while it changes its transport', async ({ server, api }) => {
    const client = await open(server.https, 'alice')
    const channel = client.channel('chat:moving')
    const publications = collect(channel)
    await channel.subscribe()
    const transports = ['stream', 'poll', 'sse', 'websocket'] as const
    for (const [index, transport] of transports.entries()) {
      client.useTransport(transport)
      await api.publish('chat:moving', index)
      await eventually(() => expect(client.connection).toMatchObject({ status: 'connected', transport }))
    }
    await eventually(() => expect(publications.map(({ data }) => data)).toEqual([0, 1, 2, 3]))
  })

  it('finds the endpoint that is there, and the transport that is on', async ({ server }) => {
    await using old = await FusewireProcess.start({ ...PRODUCTION, transports: ['poll'] })
    const client = await open(['https://localhost:1', old.https], 'alice')
    await client.connect()
    expect(client.connection).toMatchObject({ status: 'connected', transport: 'poll', endpoint: old.https })
    const other = await open([server.https, old.https], 'alice')
    await other.connect()
    expect(other.connection).toMatchObject({ transport: 'websocket', endpoint: server.https })
    await client.close()
  })

  it('says what to do about a certificate that is not trusted', async ({ server }) => {
    // This process trusts it; a program of its own does not.
    const program = new Program(process.execPath, ['--input-type=module', '--eval', NOT_TRUSTING, server.https])
    expect(await program.exit()).toBe(0)
    const what = `the certificate of ${server.https} is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)`
    expect(program.lines).toEqual([expect.stringContaining(`unreachable: ${what}: name it`)])
    expect(program.err.split(what)).toHaveLength(2)
    expect(program.err).toContain('NODE_EXTRA_CA_CERTS')
  })

  it('stops and says why when its token is refused, or its user is disconnected', async ({ server, api }) => {
    const forged = await open(server.https, 'alice', { token: await signToken('alice', { secret: 'x'.repeat(32) }) })
    const errors: ClientError[] = []
    forged.on('error', (error) => errors.push(error))
    await expect(forged.connect()).rejects.toMatchObject({ code: 'token_invalid' })
    expect(forged.connection).toMatchObject({ status: 'closed', error: { code: 'token_invalid' } })

    const banned = await open(server.https, 'mallory')
    banned.on('error', (error) => errors.push(error))
    await banned.connect()
    await api.post('disconnect', { user: 'mallory' })
    await eventually(() => expect(banned.connection).toMatchObject({ status: 'closed', error: { code: 'disconnected' } }))
    expect(errors.map(({ code }) => code)).toEqual(['token_invalid', 'disconnected'])
  })

  it('asks for a new token before the old one ends, and stays connected', async ({ server }) => {
    const reasons: string[] = []
    const getToken = (reason: string): Promise<string> => {
      reasons.push(reason)
      return signToken('alice', { expiresIn: reasons.length === 1 ? 3 : 300 })
    }
    const client = sdkClient(server.https, { getToken })
    onTestFinished(() => client.close())
    const states: string[] = []
    const { expiresAt = 0, session } = await client.connect()
    client.on('connection', ({ status }) => states.push(status))
    await eventually(() => expect(Date.now()).toBeGreaterThan(expiresAt + 300), { timeoutMs: 10_000 })
    expect(await client.ping()).toBeGreaterThan(0)
    expect(client.connection.session).toBe(session)
    expect(states.filter((status) => status !== 'connected')).toEqual([])
    expect(reasons).toHaveLength(2)
  })

  it('is told honestly when a server that was started anew has lost the history', async () => {
    const first = await FusewireProcess.start(PRODUCTION)
    onTestFinished(async () => {
      await first.stop()
    })
    const client = await open(first.https, 'alice')
    const channel = client.channel('chat:restart')
    const subscribed: { recovered: boolean; wasRecovering: boolean }[] = []
    channel.on('subscribed', (event) => subscribed.push(event))
    const publications = collect(channel)
    await channel.subscribe()
    await channel.publish('before')
    expect(await first.stop()).toBe(0)
    await using second = await FusewireProcess.start({ ...PRODUCTION, port: first.httpsPort })
    await eventually(() => expect(subscribed).toHaveLength(2), { timeoutMs: 10_000 })
    expect(subscribed[1]).toMatchObject({ recovered: false, wasRecovering: true })
    await channel.publish('after')
    await eventually(() =>
      expect(publications.map(({ offset, data }) => [offset, data])).toEqual([
        [1, 'before'],
        [1, 'after'],
      ]),
    )
    expect(second.isRunning).toBe(true)
    await client.close()
  })
})
