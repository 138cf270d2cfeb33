import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FusewireClient } from '@fusewire/client'
import { createFusewire } from '@fusewire/server'
import { eventually } from '@fusewire/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { run } from './program.ts'
import { MemoryTerminal } from './testing/memory-terminal.ts'

const OPTIONS = { development: true, tls: false, cleartextPort: 0, drainWindowMs: 0, log: () => {} } as const

const setUp = async () => {
  const fusewire = createFusewire(OPTIONS)
  onTestFinished(() => fusewire.close())
  const { urls } = await fusewire.listen()
  const url = String(urls[0])
  const client = new FusewireClient(url, { minBackoffMs: 10, maxBackoffMs: 50 })
  onTestFinished(() => client.close())
  const errors: string[] = []
  client.on('error', ({ code }) => errors.push(code))
  const channel = client.channel('chat:lobby')
  await channel.subscribe()
  return { url, client, channel, errors, session: client.connection.session ?? '' }
}

const command = async (args: readonly string[], { interactive = false } = {}) => {
  using terminal = new MemoryTerminal({ interactive })
  const code = await run(args, terminal)
  return { code, out: terminal.out, err: terminal.err }
}

describe('commands about sessions', () => {
  it('end a subscription, move a client, and end its session', async () => {
    const { url, client, channel, errors, session } = await setUp()
    const left: unknown[] = []
    channel.on('unsubscribed', ({ code }) => left.push(code))
    expect(await command(['unsubscribe', 'chat:lobby', '--session', session, '--url', url])).toEqual({
      code: 0,
      out: ['{"sessions":1}'],
      err: [],
    })
    await eventually(() => expect(left).toHaveLength(1))
    expect(await command(['drain', '--session', session, '--url', url], { interactive: true })).toMatchObject({
      code: 0,
      out: ['Told 1 session to move.'],
    })
    await eventually(() => expect(client.connection).toMatchObject({ status: 'connected', session }))
    expect(await command(['disconnect', '--user', 'nobody', '--url', url], { interactive: true })).toMatchObject({
      out: ['Ended 0 sessions.'],
    })
    expect(errors).toEqual([])
    expect((await command(['disconnect', '--session', session, '--url', url])).out).toEqual(['{"sessions":1}'])
    await eventually(() => expect(errors).toEqual(['disconnected']))
  })

  it('give a session another end', async () => {
    const { url, errors, session } = await setUp()
    const refresh = (time: string) => command(['refresh', '--session', session, '--expires-in', time, '--url', url])
    for (const time of ['1h', 'never', '0s']) expect(await refresh(time)).toMatchObject({ code: 0, out: ['{"sessions":1}'] })
    await eventually(() => expect(errors).toContain('token_expired'))
  })

  it('say that there is no such node', async () => {
    const { url } = await setUp()
    expect(await command(['drain', '--node', 'nowhere', '--url', url])).toMatchObject({
      code: 1,
      err: [expect.stringContaining('there is no such node (not_found)')],
    })
  })
})

describe('drain of a server with workers', () => {
  it('says that all of them leave, and whom it has waited for', async () => {
    let drained = false
    const server = createServer((request, response) => {
      if (drained) {
        request.socket.destroy()
        return
      }
      drained = true
      const answer = { node: 'a', workers: 3, connections: 7, delayMs: 0, windowMs: 2000, timeoutMs: 10_000 }
      response.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    }).listen(0, '127.0.0.1')
    onTestFinished(() => server.close() && server.closeAllConnections())
    await new Promise((resolve) => server.once('listening', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { code, out } = await command(['drain', '--url', url], { interactive: true })
    expect(code).toBe(0)
    expect(out).toEqual([
      'All 3 workers of the server are leaving, node a among them: its 7 connections move within 2 s, and so do theirs.',
      'Node a has gone; the other workers have 10 s since the beginning, and the server ends with the last.',
    ])
  })
})

describe('drain of another node', () => {
  it('does not take it for gone when the one that knows it does not answer for a moment', async () => {
    const node = (name: string) => ({ node: name, connections: 1 })
    const both = { ...node('a'), nodes: [node('a'), node('b')] }
    const answers = [both, undefined, both, { ...both, nodes: [node('a')] }]
    let asked = 0
    const server = createServer((request, response) => {
      const drained = { ...node('b'), delayMs: 0, windowMs: 0, timeoutMs: 10_000 }
      const answer = request.method === 'POST' ? drained : answers[asked++]
      response.writeHead(answer ? 200 : 503, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer ?? { error: { code: 'broker_unavailable', message: 'away', retryable: true } }))
    }).listen(0, '127.0.0.1')
    onTestFinished(() => server.close() && server.closeAllConnections())
    await new Promise((resolve) => server.once('listening', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    expect(await command(['drain', '--node', 'b', '--url', url])).toMatchObject({ code: 0 })
    expect(asked).toBe(answers.length)
  })
})

describe('info', () => {
  const node = (name: string, more = {}) => ({
    node: name,
    version: '1.2.3',
    state: 'serving',
    startedAt: Date.now() - 65_000,
    host: 'web1',
    connections: 2,
    sessions: 10,
    subscriptions: 100,
    channels: 5,
    ...more,
  })
  /** A server that knows these nodes, and is the first of them. */
  const serve = async (nodes: readonly object[]): Promise<string> => {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ ...nodes[0], protocolVersion: 2, development: false, nodes }))
    }).listen(0, '127.0.0.1')
    onTestFinished(() => server.close() && server.closeAllConnections())
    await new Promise((resolve) => server.once('listening', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('has a table of several nodes', async () => {
    const url = await serve([node('a'), node('bbb', { host: 'web22', state: 'draining', connections: 1234 })])
    const { code, out } = await command(['info', '--url', url], { interactive: true })
    expect(code).toBe(0)
    expect(out[0]).toContain('Fusewire 1.2.3')
    expect(out.slice(1)).toEqual([
      expect.stringMatching(/^node {2}host {3}version {2}state {5}running for {2}connections {2}sessions {2}subscriptions$/u),
      expect.stringMatching(/^a \* {3}web1 {3}1\.2\.3 {4}serving {3}1 min \d+ s +2 +10 +100$/u),
      expect.stringMatching(/^bbb {3}web22 {2}1\.2\.3 {4}draining {2}1 min \d+ s +1234 +10 +100$/u),
      '2 nodes with 1236 connections and 20 sessions; * has answered.',
    ])
  })

  it('says which worker one is', async () => {
    const url = await serve([node('a', { worker: 1 }), node('b', { worker: 2 })])
    const { out } = await command(['info', '--url', url], { interactive: true })
    expect(out[1]).toContain('worker')
    expect(out[3]).toMatch(/^b +web1 +2 +1\.2\.3/u)
  })

  it('says what one node is', async () => {
    const { url } = await setUp()
    const { out } = await command(['info', '--url', url], { interactive: true })
    for (const name of ['node', 'host', 'state', 'connections'])
      expect(out.join('\n')).toMatch(new RegExp(`^ {2}${name} +\\S+$`, 'mu'))
  })
})
