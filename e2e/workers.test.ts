import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join as pathOf } from 'node:path'
import { connect as connectTls } from 'node:tls'
import type { FusewireInput } from '@fusewire/server'
import { describeWith, eventually, startNats, startRedis } from '@fusewire/testkit'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Api } from './api.ts'
import { runFusewire } from './fusewire-command.ts'
import { FusewireProcess } from './fusewire-process.ts'
import { serverTest } from './server-test.ts'
import { DEVELOPMENT } from './server-variants.ts'
import { all, join, until, type WireClient } from './wire/way.ts'
import { WAYS } from './wire/ways.ts'

const PATIENCE = { timeoutMs: 30_000, intervalMs: 20 }

// Each test starts several processes.
vi.setConfig({ testTimeout: 120_000 })

const start = async (options: FusewireInput): Promise<FusewireProcess> => {
  const server = await FusewireProcess.start({ ...DEVELOPMENT, drainTimeoutMs: 5000, ...options })
  onTestFinished(async () => {
    await server.stop()
  })
  return server
}

interface LogLine {
  readonly msg: string
  readonly worker: number
  readonly pid: number
}

/** What the log says of this event, with the number of each worker and its process. */
const logged = (server: FusewireProcess, event: string): LogLine[] =>
  server.log
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes(`"msg":"${event}"`))
    .map((line) => JSON.parse(line) as LogLine)

/** The processes of the workers that were started last, by their numbers. */
const workersOf = (server: FusewireProcess): ReadonlyMap<number, number> =>
  new Map(logged(server, 'worker_started').map(({ worker, pid }) => [worker, pid]))

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    // A process that nobody has waited for is still there, and dead.
    return !/^State:\s+Z/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

const gone = (pids: Iterable<number>): Promise<unknown> =>
  eventually(() => expect([...pids].filter(isRunning)).toEqual([]), PATIENCE)

const ended = (server: FusewireProcess): Promise<unknown> => eventually(() => expect(server.isRunning).toBe(false), PATIENCE)

/** A client of this way in on a connection of its own, and the node that it has come to. */
const arrive = async (server: FusewireProcess, way: (typeof WAYS)[number], channel: string) => {
  const client = await way.open(server)
  onTestFinished(() => client.destroy())
  await join(client, channel)
  const [connected] = all(client, 'connected')
  return { client, node: connected?.node ?? '', session: connected?.session ?? '' }
}

const [webSocket] = WAYS as [(typeof WAYS)[number]]

/** Shakes hands over TLS 1.3; the ticket comes with the first bytes behind the handshake. */
const handshake = async (server: FusewireProcess, resumed?: Buffer) => {
  const socket = connectTls({
    host: '127.0.0.1',
    port: server.httpsPort,
    servername: 'localhost',
    ca: readFileSync(server.certificateFile),
    ALPNProtocols: ['http/1.1'],
    ...(resumed && { session: resumed }),
  })
  let session: Buffer | undefined
  socket.on('session', (ticket: Buffer) => {
    session = ticket
  })
  socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  await once(socket, 'data')
  const isResumed = socket.isSessionReused()
  socket.destroy()
  return { isResumed, session }
}

/** A client of each of so many workers: the system chooses the worker by the client's port, and one that has just begun comes last. */
const oneOfEach = async (server: FusewireProcess, channel: string, workers: number) => {
  const found = new Map<string, WireClient>()
  const deadline = performance.now() + PATIENCE.timeoutMs
  while (found.size < workers && performance.now() < deadline) {
    const { client, node } = await arrive(server, webSocket, channel)
    if (found.has(node)) client.destroy()
    else found.set(node, client)
  }
  expect(found.size).toBe(workers)
  return [...found.values()]
}

/** The process that a node is. */
const processOf = async (server: FusewireProcess, node: string): Promise<number> => {
  const metrics = await (await fetch(`${server.http}/metrics`)).text()
  const [, worker] = new RegExp(`^fusewire_info\\{worker="(\\d+)",node="${node}"`, 'mu').exec(metrics) ?? []
  return workersOf(server).get(Number(worker)) ?? 0
}

const post = (server: FusewireProcess, path: string, body: object): Promise<Response> =>
  fetch(`${server.http}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

/** A start that comes to nothing. */
const refused = (...args: string[]) => runFusewire(['serve', '--development', ...args], { folder: tmpdir() })

/** For what leaves the workers as they are. */
const sharedIt = serverTest({
  ...DEVELOPMENT,
  workers: 3,
  drainTimeoutMs: 5000,
  rules: [{ pattern: 'room', presence: true, subscribe: 'anyone' }],
})

describe('three workers', () => {
  sharedIt('serve one port together: what is published on one reaches the clients of each', async ({ server, api }) => {
    expect(workersOf(server).size).toBe(3)
    await eventually(async () => {
      const { nodes } = (await api.info()) as unknown as { nodes: readonly { worker?: number }[] }
      expect(nodes.map(({ worker }) => worker).sort()).toEqual([1, 2, 3])
    }, PATIENCE)
    const clients = await oneOfEach(server, 'news', 3)
    for (const [n, client] of clients.entries()) client.send({ type: 'publish', id: 7, channel: 'news', data: n })
    for (const client of clients)
      await eventually(() => expect(all(client, 'publication').map(({ offset }) => offset)).toEqual([1, 2, 3]))
    expect(clients.map((client) => all(client, 'publication').map(({ data }) => data))).toEqual(
      clients.map(() => all(clients[0] as WireClient, 'publication').map(({ data }) => data)),
    )
  })

  sharedIt('show who is in a channel, whichever is asked', async ({ server, api }) => {
    const sessions = (await oneOfEach(server, 'room', 3)).map((client) => all(client, 'connected')[0]?.session)
    await eventually(async () => {
      const { members } = await api.presence('room')
      expect(members.map(({ session }) => session)).toEqual(expect.arrayContaining(sessions))
    })
  })

  sharedIt('hand the requests of every way in to the one that has its connection, in their order', async ({ server }) => {
    const data = Array.from({ length: 10 }, (_, n) => n)
    await Promise.all(
      WAYS.map(async (way, index) => {
        const channel = `way:${index}`
        const { client } = await arrive(server, way, channel)
        for (const n of data) client.send({ type: 'publish', id: 100 + n, channel, data: n })
        await eventually(() => expect(all(client, 'publication').map((publication) => publication.data)).toEqual(data), PATIENCE)
      }),
    )
  })

  sharedIt('show the metrics of all on each, every metric described once', async ({ server }) => {
    const text = await (await fetch(`${server.http}/metrics`)).text()
    for (const worker of ['1', '2', '3']) expect(text).toContain(`fusewire_draining{worker="${worker}"} 0\n`)
    expect(text).toContain('fusewire_workers{worker="primary"} 3')
    const types = [...text.matchAll(/^# TYPE (\S+)/gmu)].map(([, name]) => name)
    expect(new Set(types).size).toBe(types.length)
  })

  sharedIt('revoke tokens together', async ({ server }) => {
    expect((await post(server, '/v1/revoke', { user: 'ada' })).status).toBe(200)
    await eventually(async () => {
      const text = await (await fetch(`${server.http}/metrics`)).text()
      for (const worker of ['1', '2', '3']) expect(text).toContain(`fusewire_revocations{worker="${worker}"} 1`)
    })
  })

  sharedIt('keep their port to themselves', async ({ server }) => {
    const port = String(server.httpPort)
    const { code, err } = await refused('--workers', '2', '--no-tls', '--cleartext-port', port)
    expect(code).toBe(1)
    expect(err).toContain(`Port ${port} is in use`)
  })

  sharedIt('give a new certificate to their clients, after SIGHUP', async ({ server }) => {
    const other = await start({ workers: 1 })
    const [own, others] = [server, other].map(({ certificateFile }) => pathOf(dirname(certificateFile), 'development.pem'))
    copyFileSync(others ?? '', own ?? '')
    server.signal('SIGHUP')
    await eventually(() =>
      expect(
        logged(server, 'certificate_reloaded')
          .map(({ worker }) => worker)
          .sort(),
      ).toEqual([1, 2, 3]),
    )
  })
})

describe('a server of several workers', () => {
  it('goes on without gap or duplicate when a worker is killed in the middle of traffic, and replaces it', async () => {
    const server = await start({ workers: 2, logLevel: 'info' })
    const clients = await oneOfEach(server, 'news', 2)
    const before = workersOf(server)
    const api = new Api(server.http)
    let last = 0
    let isOver = false
    const publishing = (async () => {
      while (!isOver)
        last = await api.publish('news', last).then(
          ({ position }) => position.offset,
          () => last,
        )
    })()
    await eventually(() => expect(last).toBeGreaterThan(20), PATIENCE)
    const [victim, pid] = [...before][0] as [number, number]
    process.kill(pid, 'SIGKILL')
    await eventually(() => expect(workersOf(server).get(victim)).not.toBe(pid), PATIENCE)
    const at = last
    await eventually(() => expect(last).toBeGreaterThan(at + 20), PATIENCE)
    isOver = true
    await publishing
    const survivors = clients.filter((client) => client.end === undefined)
    expect(survivors).toHaveLength(1)
    for (const survivor of survivors) {
      await eventually(() => expect(all(survivor, 'publication').at(-1)?.offset).toBeGreaterThanOrEqual(last))
      const offsets = all(survivor, 'publication').map(({ offset }) => offset)
      expect(offsets).toEqual(offsets.map((_, n) => n + 1))
    }
    // The epoch is the hub's: whoever was on the other one goes on where it was.
    const lost = clients.find((client) => client.end !== undefined) as WireClient
    const position = {
      epoch: all(lost, 'subscribed')[0]?.position.epoch ?? '',
      offset: all(lost, 'publication').at(-1)?.offset ?? 0,
    }
    const { client } = await arrive(server, { ...webSocket }, 'other')
    client.send({ type: 'subscribe', id: 9, channel: 'news', since: position })
    expect(await until(client, 'subscribed', { channel: 'news' })).toMatchObject({ recovered: true })
    expect(logged(server, 'worker_ended')).toMatchObject([{ worker: victim, pid, signal: 'SIGKILL' }])
    await oneOfEach(server, 'news', 2)
  })

  it('takes a session over from a worker that was killed, with its subscriptions and all that it has missed', async () => {
    const server = await start({ workers: 2 })
    const { client, node, session } = await arrive(server, webSocket, 'news')
    const api = new Api(server.http)
    await api.publish('news', 'before')
    await until(client, 'publication', { data: 'before' })
    const [connected] = all(client, 'connected')
    // Nobody waits until the primary has what another worker needs.
    await eventually(async () => {
      const metrics = await (await fetch(`${server.http}/metrics`)).text()
      expect(metrics).toMatch(/^fusewire_broker_calls_total\{worker="\d",call="sessions.put",outcome="answered"\} [1-9]/mu)
    }, PATIENCE)
    process.kill(await processOf(server, node), 'SIGKILL')
    await eventually(() => expect(client.end).toBeDefined())
    await eventually(() => api.publish('news', 'meanwhile'), PATIENCE)
    const again = await eventually(() => webSocket.open(server), PATIENCE)
    onTestFinished(() => again.destroy())
    const { position } = all(client, 'subscribed')[0] ?? {}
    again.send({
      type: 'connect',
      resume: connected?.resume,
      subscriptions: [{ channel: 'news', since: { ...position, offset: 1 } }],
    })
    expect(await until(again, 'connected')).toMatchObject({ session, resumed: true })
    const { node: other } = await until(again, 'connected')
    expect(other).not.toBe(node)
    expect(await until(again, 'subscribed', { channel: 'news' })).toMatchObject({
      recovered: true,
      publications: [{ data: 'meanwhile' }],
    })
  })

  it('has those leave presence that were on a worker that was killed, when they do not come back', async () => {
    const server = await start({
      workers: 2,
      sessionTtlMs: 1000,
      rules: [{ pattern: 'room', presence: true, subscribe: 'anyone' }],
    })
    const [one, other] = (await oneOfEach(server, 'room', 2)) as [WireClient, WireClient]
    const sessions = [one, other].map((client) => all(client, 'connected')[0]?.session)
    const present = async (): Promise<string[]> =>
      (await new Api(server.http).presence('room')).members.map(({ session }) => session)
    await eventually(async () => expect((await present()).sort()).toEqual([...sessions].sort()), PATIENCE)
    process.kill(await processOf(server, all(one, 'connected')[0]?.node ?? ''), 'SIGKILL')
    await eventually(async () => expect(await present()).toEqual([sessions[1]]), PATIENCE)
  })

  it.each([
    ['SIGTERM to its primary', async (server: FusewireProcess) => server.signal('SIGTERM')],
    [
      'POST /v1/drain to whichever worker',
      async (server: FusewireProcess) => {
        const answer = await post(server, '/v1/drain', {})
        expect(await answer.json()).toMatchObject({ workers: 2, windowMs: 500 })
      },
    ],
  ])('leaves as a whole after %s', async (_how, leave) => {
    const server = await start({ workers: 2, drainWindowMs: 500 })
    const clients = await oneOfEach(server, 'news', 2)
    const pids = [...workersOf(server).values()]
    await leave(server)
    for (const client of clients) await until(client, 'disconnect', { code: 'server_draining' })
    await ended(server)
    await gone(pids)
    expect(await server.stop()).toBe(0)
    expect(logged(server, 'worker_left')).toHaveLength(2)
  })

  it('ends at once with the second signal, all of it', async () => {
    const server = await start({ workers: 2, drainWindowMs: 4000 })
    await oneOfEach(server, 'news', 2)
    const pids = [...workersOf(server).values()]
    server.signal('SIGTERM')
    await eventually(() => expect(logged(server, 'drain').length).toBeGreaterThan(1))
    server.signal('SIGINT')
    await ended(server)
    expect(await server.stop()).toBe(130)
    await gone(pids)
  })

  it('ends with its primary, even when that is killed', async () => {
    const server = await start({ workers: 2, drainWindowMs: 200 })
    const clients = await oneOfEach(server, 'news', 2)
    const pids = [...workersOf(server).values()]
    server.signal('SIGKILL')
    for (const client of clients) await until(client, 'disconnect', { code: 'server_draining' })
    await gone(pids)
  })

  it('resumes TLS sessions on all of them, whichever has begun them, and one that has just been started too', async () => {
    const server = await start({ workers: 2 })
    const { session } = await handshake(server)
    if (!session) throw new Error('no session ticket came')
    // The system chooses the worker by the client's port: of so many, none has all of them.
    const areResumed = async (): Promise<boolean[]> =>
      (await Promise.all(Array.from({ length: 20 }, () => handshake(server, session)))).map(({ isResumed }) => isResumed)
    expect(new Set(await areResumed())).toEqual(new Set([true]))
    const [[number, pid]] = [...workersOf(server)] as [[number, number]]
    process.kill(pid, 'SIGKILL')
    await eventually(() => expect(workersOf(server).get(number)).not.toBe(pid), PATIENCE)
    await oneOfEach(server, 'news', 2)
    expect(new Set(await areResumed())).toEqual(new Set([true]))
  })

  it('replaces a worker that was asked to leave alone', async () => {
    const server = await start({ workers: 2, drainWindowMs: 200 })
    const [[number, pid]] = [...workersOf(server)] as [[number, number]]
    process.kill(pid, 'SIGTERM')
    await eventually(() => expect(workersOf(server).get(number)).not.toBe(pid), PATIENCE)
    await gone([pid])
    await oneOfEach(server, 'news', 2)
  })

  it('keeps what it has in a snapshot, over a restart', async () => {
    const folder = mkdtempSync(pathOf(tmpdir(), 'fusewire-workers-'))
    const file = pathOf(folder, 'snapshot.ndjson')
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const first = await start({ workers: 2, snapshotFile: file })
    const { position } = await new Api(first.http).publish('news', 'kept')
    expect(await first.stop()).toBe(0)
    const second = await start({ workers: 2, snapshotFile: file })
    expect(await new Api(second.http).history('news')).toMatchObject({ position, publications: [{ data: 'kept' }] })
  })
})

for (const [name, program, startBroker] of [
  ['redis', 'redis-server', startRedis],
  ['nats', 'nats-server', startNats],
] as const)
  describeWith([program], `a server of several workers over ${name}`, () => {
    it('has each worker connect by itself, and misses nothing when one is killed', async () => {
      const broker = await startBroker()
      onTestFinished(() => broker[Symbol.asyncDispose]())
      const server = await start({ workers: 2, broker: [broker.url] })
      const [one, other] = (await oneOfEach(server, 'news', 2)) as [WireClient, WireClient]
      one.send({ type: 'publish', id: 7, channel: 'news', data: 'over it' })
      await until(other, 'publication', { data: 'over it' })
      const metrics = await (await fetch(`${server.http}/metrics`)).text()
      for (const worker of ['1', '2']) expect(metrics).toContain(`fusewire_broker_up{worker="${worker}",broker="${name}"} 1\n`)
      process.kill(await processOf(server, all(one, 'connected')[0]?.node ?? ''), 'SIGKILL')
      await eventually(() => expect(one.end).toBeDefined())
      const { position } = await new Api(server.http).publish('news', 'meanwhile')
      const again = await eventually(() => webSocket.open(server), PATIENCE)
      onTestFinished(() => again.destroy())
      expect(await join(again, 'news', { since: { ...position, offset: 1 } })).toMatchObject({
        recovered: true,
        publications: [{ data: 'meanwhile' }],
      })
      const pids = [...workersOf(server).values()]
      expect(await server.stop()).toBe(0)
      await gone(pids)
    })
  })

describe('a server of several workers does not start', () => {
  it('on a port that another program has', async () => {
    const server = createServer()
    const port = await new Promise<number>((resolve) =>
      server.listen({ port: 0, host: '127.0.0.1' }, () => resolve((server.address() as { port: number }).port)),
    )
    onTestFinished(() => {
      server.close()
    })
    const { code, err } = await refused('--workers', '2', '--no-tls', '--cleartext-port', String(port))
    expect(code).toBe(1)
    expect(err).toContain(`Port ${port} is in use`)
  })

  it.each([
    ['0', 'is at least 1, not 0'],
    ['x', 'is a whole number, or auto, not "x"'],
    ['257', 'is at most 256, not 257'],
  ])('with --workers %s', async (workers, message) => {
    const { code, err } = await refused('--workers', workers)
    expect(code).toBe(2)
    expect(err).toContain(`workers (--workers): ${message}`)
  })

  it('with a key that its workers cannot use', async () => {
    const { code, out, err } = await refused('--workers', '2', '--port', '0', '--jwt-public-key-file', '/dev/null')
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err.trim().split('\n')).toEqual(['The configuration cannot be used:', expect.stringContaining('jwtPublicKeyFile')])
  })

  it('and its help says what workers are', async () => {
    const { code, out } = await runFusewire(['serve', '--help'], { folder: tmpdir() })
    expect(code).toBe(0)
    expect(out).toContain('--workers <number|auto>')
    expect((await runFusewire(['--help'], { folder: tmpdir() })).out).not.toContain('worker ')
  })

  it('by hand, worker by worker', async () => {
    const child = spawn(process.execPath, [new URL('../packages/cli/bin/fusewire.js', import.meta.url).pathname, 'worker'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let err = ''
    child.stderr.on('data', (chunk) => {
      err += chunk
    })
    const code = await new Promise((resolve) => child.once('close', resolve))
    expect(err).toContain('A worker is started by "fusewire serve --workers", not by hand.')
    expect(code).toBe(1)
  })
})
