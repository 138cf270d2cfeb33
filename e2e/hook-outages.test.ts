import { eventually } from '@fusewire/testkit'
import { expect, it, onTestFinished } from 'vitest'
import { Api } from './api.ts'
import { FusewireProcess } from './fusewire-process.ts'
import { HOOK_SECRET, HookServer } from './hook-backend.ts'
import { API_KEY } from './server-variants.ts'
import { all, until, type WireClient } from './wire/way.ts'
import { webSocketWay } from './wire/websocket-way.ts'

const WAY = webSocketWay('HTTP/1.1', 'json')

/** A backend that can be gone, and comes back at the same address. */
class Outage implements AsyncDisposable {
  readonly #heard: HookServer[] = []
  readonly url: string
  #backend: HookServer | undefined

  private constructor(backend: HookServer) {
    this.#backend = backend
    this.#heard.push(backend)
    this.url = backend.url
  }

  static async start(): Promise<Outage> {
    const outage = new Outage(await HookServer.start('HTTP/1.1'))
    onTestFinished(() => outage[Symbol.asyncDispose]())
    return outage
  }

  async begin(): Promise<void> {
    await this.#backend?.[Symbol.asyncDispose]()
    this.#backend = undefined
  }

  async end(): Promise<void> {
    this.#backend = await HookServer.start('HTTP/1.1', Number(new URL(this.url).port))
    this.#heard.push(this.#backend)
  }

  /** Of those whose session has ended, as it was told over all of the time; once each, though it may have come again. */
  get names(): unknown[] {
    const notices = this.#heard.flatMap((backend) => backend.told('disconnect'))
    return [...new Map(notices.map((notice) => [notice.id, notice.name])).values()]
  }

  get forged(): number {
    return this.#heard.reduce((sum, { forged }) => sum + forged, 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.begin()
  }
}

const start = async (outage: Outage, options: object = {}): Promise<FusewireProcess> => {
  const server = await FusewireProcess.start({
    allowAnonymous: true,
    apiKeys: [API_KEY],
    hooks: [{ url: outage.url, events: ['connect', 'disconnect'] }],
    hookSecrets: [HOOK_SECRET],
    hookBreakerFailures: 3,
    hookBreakerResetMs: 100,
    hookRetries: 0,
    ...options,
  })
  onTestFinished(async () => {
    await server.stop()
  })
  return server
}

const open = async (server: FusewireProcess): Promise<WireClient> => {
  const client = await WAY.open(server)
  onTestFinished(() => client.destroy())
  return client
}

/** Clients that have come, each under a name of its own; they leave, one after another, when it is called. */
const visit = async (server: FusewireProcess, names: readonly string[]): Promise<() => Promise<void>> => {
  const clients: WireClient[] = []
  for (const name of names) {
    const client = await open(server)
    client.send({ type: 'connect', name })
    await until(client, 'connected')
    clients.push(client)
  }
  return async () => {
    for (const client of clients) {
      client.send({ type: 'disconnect' })
      await eventually(() => expect(client.end).toBeDefined())
    }
  }
}

const namesFrom = (first: number, count: number): string[] => Array.from({ length: count }, (_, n) => `visitor-${first + n}`)

it('a server starts without its backend, refuses for as long as it is away, and lets in on the same connection when it is there', async () => {
  const outage = await Outage.start()
  await outage.begin()
  const server = await start(outage)
  expect((await fetch(`${server.http}/readyz`)).status).toBe(200)
  const client = await open(server)
  for (let id = 1; id <= 5; id++) {
    client.send({ type: 'connect', id })
    expect(await until(client, 'error', { id })).toMatchObject({ code: 'hook_unavailable', retryable: true })
  }
  expect(server.log).toContain('hook_breaker_opened')
  await outage.end()
  await eventually(() => {
    client.send({ type: 'connect' })
    expect(all(client, 'connected')).toHaveLength(1)
  })
  expect(server.log).toContain('hook_breaker_closed')
})

it('what happens while the backend is away is told when it is back, in order', async () => {
  const outage = await Outage.start()
  const server = await start(outage, { hookBatchSize: 3 })
  const api = new Api(server.http, API_KEY)
  const leave = await visit(server, namesFrom(0, 10))
  await outage.begin()
  await leave()
  await eventually(async () => expect(await api.metric('fusewire_hook_notices_queued')).toBe(10))
  await outage.end()
  await eventually(async () => expect(await api.metric('fusewire_hook_notices_queued')).toBe(0), { timeoutMs: 20_000 })
  expect(outage.names).toEqual(namesFrom(0, 10))
  expect(outage.forged).toBe(0)
}, 40_000)

it('a server that is asked to leave tells what waits, if the backend comes back in time', async () => {
  const outage = await Outage.start()
  const server = await start(outage, { drainTimeoutMs: 10_000 })
  const leave = await visit(server, namesFrom(0, 3))
  await outage.begin()
  await leave()
  server.signal('SIGTERM')
  await eventually(() => expect(server.log).toContain('Leaving'))
  await outage.end()
  await eventually(() => expect(server.isRunning).toBe(false), { timeoutMs: 15_000 })
  expect(outage.names).toEqual(namesFrom(0, 3))
  expect(await server.stop()).toBe(0)
})

it('and ends in its time if it does not, and says how much was lost', async () => {
  const outage = await Outage.start()
  const server = await start(outage, { drainTimeoutMs: 2000 })
  const leave = await visit(server, namesFrom(0, 3))
  await outage.begin()
  await leave()
  const askedAt = performance.now()
  server.signal('SIGTERM')
  await eventually(() => expect(server.isRunning).toBe(false), { timeoutMs: 15_000 })
  expect(performance.now() - askedAt).toBeLessThan(12_000)
  expect(await server.stop()).toBe(0)
  expect(server.log).toMatch(/"reason":"closed","count":3,/u)
})
