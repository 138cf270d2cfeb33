import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { FusewireInput } from '@fusewire/server'
import { eventually } from '@fusewire/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { Api } from './api.ts'
import { FusewireProcess } from './fusewire-process.ts'
import { HOOK_SECRET, type HookMessage, HookServer } from './hook-backend.ts'
import { API_KEY } from './server-variants.ts'
import { all, until, type Way, type WireClient } from './wire/way.ts'
import { WAYS } from './wire/ways.ts'

const DECIDING = ['connect', 'refresh', 'subscribe', 'publish', 'rpc'] as const
const INFORMING = ['disconnect', 'unsubscribe', 'channel_occupied', 'channel_vacated'] as const

const optionsFor = (url: string): FusewireInput => ({
  apiKeys: [API_KEY],
  sessionTtlMs: 500,
  rules: [{ pattern: '*:*', subscribe: 'user', publish: 'user', presence: true }],
  hooks: [{ url, events: [...DECIDING, ...INFORMING] }],
  hookSecrets: [HOOK_SECRET],
  hookTimeoutMs: 1000,
})

const DENIED = { decision: 'deny', code: 'token_invalid' }

/** Tokens are names; nobody called mallory comes in. */
const decide = ({ event, token, channel, data, method }: HookMessage): object => {
  switch (event) {
    case 'connect':
      if (token === 'mallory') return { decision: 'deny', message: 'not you' }
      return token === undefined ? DENIED : { decision: 'allow', user: token, info: { name: token } }
    case 'refresh':
      return token === 'revoked' ? { decision: 'deny' } : { decision: 'allow', expiresAt: Date.now() + 60_000 }
    case 'subscribe':
      return channel === 'room:closed' ? { decision: 'deny', message: 'closed' } : { decision: 'allow' }
    case 'publish':
      if (data === 'kept') return { decision: 'skip' }
      return data === 'bad' ? { decision: 'deny', code: 'invalid_field' } : { decision: 'allow', data: { seen: data } }
    default:
      return method === 'time' ? { decision: 'allow', data: 'now' } : { decision: 'deny', code: 'method_not_found' }
  }
}

describe.each(['HTTP/2', 'HTTP/1.1'] as const)('a backend over %s', (version) => {
  let backend: HookServer
  let server: FusewireProcess

  beforeAll(async () => {
    backend = await HookServer.start(version)
    server = await FusewireProcess.start(optionsFor(backend.url), { environment: backend.environment })
  })

  afterAll(async () => {
    expect(await server.stop()).toBe(0)
    expect(backend.forged).toBe(0)
    await backend[Symbol.asyncDispose]()
  })

  beforeEach(() => {
    backend.decide = decide
  })

  const open = async (way: Way): Promise<WireClient> => {
    const client = await way.open(server)
    onTestFinished(() => client.destroy())
    return client
  }

  const connect = async (way: Way, token: string): Promise<WireClient> => {
    const client = await open(way)
    client.send({ type: 'connect', id: 1, token, name: 'e2e', version: '1' })
    expect(await until(client, 'connected')).toMatchObject({ user: token })
    return client
  }

  it.each(WAYS)('refuses a connect over $name, with the close code', async (way) => {
    const client = await open(way)
    client.send({ type: 'connect', id: 1, token: 'mallory' })
    expect(await until(client, 'error', { id: 1 })).toMatchObject({ code: 'connection_refused', message: 'not you' })
    expect(await until(client, 'disconnect')).toMatchObject({ closeCode: 4209, reconnect: false })
    await eventually(() => expect(client.end).toBeDefined())
    if (way.framing === 'websocket') expect(client.end).toEqual({ closeCode: 4209 })
    expect(all(client, 'connected')).toEqual([])
  })

  it('refuses a one-way SSE stream by its status [T15]', async () => {
    const response = await fetch(`${server.https}/fusewire/v1/sse?channel=room:a&token=mallory`)
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ error: { code: 'connection_refused', message: 'not you' } })
  })

  it.each(WAYS)('decides and hears all of what a client does over $name', async (way) => {
    const room = `room:${way.name.replaceAll(/[^\w]/gu, '-')}`
    const client = await connect(way, 'ann')
    const { session } = await until(client, 'connected')
    client.send(
      { type: 'subscribe', id: 2, channel: room },
      { type: 'subscribe', id: 3, channel: 'room:closed' },
      { type: 'publish', id: 4, channel: room, data: 'hello' },
      { type: 'publish', id: 5, channel: room, data: 'bad' },
      { type: 'publish', id: 6, channel: room, data: 'kept' },
      { type: 'rpc', id: 7, method: 'time' },
      { type: 'rpc', id: 8, method: 'none' },
      { type: 'refresh', id: 9, token: 'newer' },
    )
    await until(client, 'subscribed', { id: 2 })
    expect(await until(client, 'error', { id: 3 })).toMatchObject({ code: 'permission_denied', message: 'closed' })
    expect(await until(client, 'result', { id: 4 })).toMatchObject({ data: { position: { offset: 1 } } })
    expect(await until(client, 'error', { id: 5 })).toMatchObject({ code: 'invalid_field' })
    expect(await until(client, 'result', { id: 6 })).toMatchObject({ data: { position: { offset: 1 } } })
    expect(await until(client, 'result', { id: 7 })).toMatchObject({ data: 'now' })
    expect(await until(client, 'error', { id: 8 })).toMatchObject({ code: 'method_not_found' })
    expect(await until(client, 'result', { id: 9 })).toMatchObject({ data: { expiresAt: expect.any(Number) } })
    expect(all(client, 'publication')).toMatchObject([
      { channel: room, data: { seen: 'hello' }, sender: { user: 'ann', info: { name: 'ann' } } },
    ])

    client.send({ type: 'unsubscribe', id: 10, channel: room })
    await until(client, 'unsubscribed', { id: 10 })
    client.send({ type: 'disconnect' })
    await eventually(() => expect(backend.told('disconnect').some((notice) => notice.session === session)).toBe(true))
    expect(backend.notices.filter((notice) => notice.channel === room || notice.session === session)).toMatchObject([
      { event: 'channel_occupied', channel: room },
      { event: 'unsubscribe', channel: room, user: 'ann', reason: 'unsubscribed', name: 'e2e' },
      { event: 'channel_vacated', channel: room },
      { event: 'disconnect', user: 'ann', reason: 'closed' },
    ])
  })

  it('hears of a session whose connection was lost when its time is over', async () => {
    const client = await connect(WAYS[0] as Way, 'bob')
    const { session } = await until(client, 'connected')
    client.destroy()
    await eventually(() =>
      expect(backend.told('disconnect').find((notice) => notice.session === session)).toMatchObject({ reason: 'expired' }),
    )
  })

  it('ends a session whose token it has revoked', async () => {
    const client = await connect(WAYS[0] as Way, 'bob')
    client.send({ type: 'refresh', id: 2, token: 'revoked' })
    expect(await until(client, 'disconnect')).toMatchObject({ code: 'token_revoked', closeCode: 4103 })
  })

  it('keeps the order of what one client publishes, however long each decision takes', async () => {
    const client = await connect(WAYS[0] as Way, 'carl')
    client.send({ type: 'subscribe', id: 2, channel: 'room:order' })
    await until(client, 'subscribed')
    backend.decide = async ({ data }) => {
      await new Promise((resolve) => setTimeout(resolve, Number(data) % 2 === 0 ? 10 : 0))
      return { decision: 'allow' }
    }
    for (let n = 0; n < 20; n++) client.send({ type: 'publish', channel: 'room:order', data: n })
    await eventually(() => expect(all(client, 'publication')).toHaveLength(20))
    expect(all(client, 'publication').map(({ data }) => data)).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })

  it('that answers nonsense, too late or not at all refuses, and is asked again', async () => {
    const client = await connect(WAYS[0] as Way, 'dora')
    const answers: (() => object | Promise<object>)[] = [
      () => ({ ok: true }),
      () => ['deny'],
      () => ({ decision: 'allow', data: 'x'.repeat(2_000_000) }),
      () => new Promise(() => {}),
    ]
    for (const [index, answer] of answers.entries()) {
      backend.decide = answer
      client.send({ type: 'publish', id: 100 + index, channel: 'room:x', data: 1 })
      expect(await until(client, 'error', { id: 100 + index })).toMatchObject({ code: 'hook_unavailable', retryable: true })
    }
    backend.decide = decide
    client.send({ type: 'publish', id: 200, channel: 'room:x', data: 1 })
    await until(client, 'result', { id: 200 })
    expect(server.log).toMatch(/hook_failed/u)
  })

  it('is not asked about what the application does itself, and is in the metrics', async () => {
    const client = await connect(WAYS[0] as Way, 'emil')
    client.send({ type: 'publish', id: 2, channel: 'room:api', data: 'kept' })
    await until(client, 'result')
    const before = backend.questions.length
    const api = new Api(server.http, API_KEY)
    await api.publish('room:api', 'raw')
    expect(backend.questions).toHaveLength(before)
    expect(await api.metric('fusewire_hook_calls_total', { event: 'publish', outcome: 'skip' })).toBeGreaterThan(0)
    expect(await api.metric('fusewire_hook_backends', { breaker: 'closed' })).toBe(1)
  })

  it('spoke nothing else', () => {
    expect([...backend.versions]).toEqual([version === 'HTTP/2' ? '2.0' : '1.1'])
  })
})

it('a server that stops tells of the sessions that end with it, however little time it has', async () => {
  await using backend = await HookServer.start('HTTP/1.1')
  backend.decide = decide
  const server = await FusewireProcess.start({
    ...optionsFor(backend.url),
    sessionTtlMs: 60_000,
    drainTimeoutMs: 0,
  })
  const client = await (WAYS[0] as Way).open(server)
  client.send({ type: 'connect', token: 'ann', subscriptions: [{ channel: 'room:a' }] })
  await until(client, 'subscribed')
  expect(await server.stop()).toBe(0)
  expect(backend.notices).toMatchObject([
    { event: 'channel_occupied' },
    { event: 'unsubscribe', reason: 'session_ended' },
    { event: 'channel_vacated' },
    { event: 'disconnect', user: 'ann', reason: 'server_draining' },
  ])
})

it('the backend of docs/hooks.md does what the page says', async () => {
  const page = readFileSync(new URL('../docs/hooks.md', import.meta.url), 'utf8')
  const code = /<!-- example: backend -->\s+```js\n(.*?)```/su.exec(page)?.[1] ?? ''
  // On a port that the system chooses.
  const program = code.replace(
    /listen\(3000, 'localhost', .*\)$/mu,
    "listen(0, 'localhost', function () { console.log(this.address().port) })",
  )
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: new URL('..', import.meta.url),
    env: { ...process.env, HOOK_SECRET },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text
  })
  const port = await eventually(() => /^\d+$/mu.exec(out)?.[0] ?? false, { timeoutMs: 15_000 })
  const url = `http://localhost:${port}/`
  const server = await FusewireProcess.start({
    rules: [{ pattern: 'inbox:*', subscribe: 'user', publish: 'user' }],
    hooks: [
      { url, events: ['connect', 'rpc', 'disconnect'] },
      { url, events: ['subscribe', 'publish', 'channel_occupied', 'channel_vacated'], channels: 'inbox:*' },
    ],
    hookSecrets: [HOOK_SECRET],
  })
  onTestFinished(async () => {
    await server.stop()
  })
  const client = await (WAYS[0] as Way).open(server)
  client.send(
    { type: 'connect', token: 'letmein' },
    { type: 'subscribe', id: 2, channel: 'inbox:ann' },
    { type: 'subscribe', id: 3, channel: 'inbox:bob' },
    { type: 'publish', channel: 'inbox:ann', data: { text: 'hello' } },
    { type: 'rpc', id: 4, method: 'time' },
  )
  expect(await until(client, 'connected')).toMatchObject({ user: 'ann' })
  expect(await until(client, 'error', { id: 3 })).toMatchObject({ message: 'not your inbox' })
  expect(await until(client, 'publication')).toMatchObject({ data: { text: 'hello', checked: true } })
  expect(await until(client, 'result', { id: 4 })).toMatchObject({ data: expect.any(Number) })
  client.send({ type: 'disconnect' })
  await eventually(() => expect(out).toMatch(/channel_occupied inbox:ann[\s\S]*channel_vacated inbox:ann\ndisconnect ann/u))
  child.kill('SIGKILL')
  await once(child, 'close')
})
