import { FusewireError } from '@fusewire/protocol'
import { EngineHarness, FakeEnvironment, type MemoryConnection, memoryFormat, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { RateMeter } from './rate-meter.ts'
import type { SessionLink } from './session.ts'
import { Sessions } from './sessions.ts'
import { Counters } from './stats.ts'
import { TimerWheel } from './timer-wheel.ts'

const CLIENT = { transport: 'tcp', remoteAddress: '192.0.2.1' } as const

const LIMITS = { messagesPerSecond: 10, messagesBurst: 5, bytesPerSecond: 1000, bytesBurst: 2000, maxRateLimited: 3 }

let harness: EngineHarness
beforeEach(async () => {
  harness = await EngineHarness.start({ limits: LIMITS })
})

const publish = (client: MemoryConnection, times: number): void => {
  for (let id = 1; id <= times; id++) client.say({ type: 'publish', id, channel: 'open:a', data: id })
}

const refusedIds = (client: MemoryConnection) => client.all('error').map(({ id, code }) => [id, code])

describe('[P19] messagesPerSecond', () => {
  it('refuses what is beyond the burst, says when to go on, and publishes nothing of it', async () => {
    const client = await harness.connect()
    publish(client, 6)
    expect(client.all('result').map(({ id }) => id)).toEqual([1, 2, 3, 4])
    expect(refusedIds(client)).toEqual([
      [5, 'rate_limited'],
      [6, 'rate_limited'],
    ])
    expect(client.last('error')).toMatchObject({ channel: 'open:a', retryable: true, retryAfterMs: 100 })
    expect(harness.engine.stats()).toMatchObject({
      publications: 4,
      refusals: { messagesPerSecond: 2 },
      errors: { rate_limited: 2 },
    })
  })

  it('takes the message when the time that it said has passed', async () => {
    const client = await harness.connect()
    publish(client, 5)
    harness.environment.advance(client.last('error').retryAfterMs ?? 0)
    client.say({ type: 'publish', id: 9, channel: 'open:a', data: 9 })
    expect(client.last('result').id).toBe(9)
  })

  it('counts heartbeats like everything else, and refuses them with their id', async () => {
    const client = await harness.connect()
    for (let id = 1; id <= 5; id++) client.say({ type: 'ping', id })
    expect(client.all('pong')).toHaveLength(4)
    expect(refusedIds(client)).toEqual([[5, 'rate_limited']])
  })

  it('counts what comes before connect on the connection', () => {
    const client = harness.open()
    for (let id = 1; id <= 6; id++) client.say({ type: 'echo', id, data: id })
    expect(client.all('echo')).toHaveLength(5)
    expect(refusedIds(client)).toEqual([[6, 'rate_limited']])
  })

  it('goes on counting when connect makes a session of the connection', async () => {
    const client = harness.open()
    for (let id = 1; id <= 4; id++) client.say({ type: 'ping', id })
    client.say({ type: 'connect' })
    await turn()
    client.say({ type: 'ping', id: 9 })
    expect(refusedIds(client)).toEqual([[9, 'rate_limited']])
  })

  it('gives a session that reconnects no new burst', async () => {
    const first = await harness.connect({ token: 'ann' })
    publish(first, 4)
    first.cut()
    const second = await harness.connect({ resume: first.last('connected').resume })
    expect(second.last('connected').resumed).toBe(true)
    second.say({ type: 'ping', id: 9 })
    expect(refusedIds(second)).toEqual([[9, 'rate_limited']])
  })

  it('does not hurt another session', async () => {
    const loud = await harness.connect()
    const quiet = await harness.connect()
    publish(loud, 7)
    publish(quiet, 4)
    expect(quiet.all('result')).toHaveLength(4)
    expect(quiet.all('error')).toEqual([])
  })

  it('lets a client leave at any time', async () => {
    const client = await harness.connect({ token: 'ann' })
    publish(client, 5)
    client.say({ type: 'disconnect' })
    expect(client.closedWith).toBe('closed')
    expect(harness.engine.stats().sessions).toBe(0)
  })
})

describe('[P19] bytesPerSecond', () => {
  it('refuses what is beyond the burst of bytes', async () => {
    const client = await harness.connect()
    client.say({ type: 'publish', id: 1, channel: 'open:a', data: 1 }, 1500)
    client.say({ type: 'publish', id: 2, channel: 'open:a', data: 2 }, 600)
    client.say({ type: 'publish', id: 3, channel: 'open:a', data: 3 }, 500)
    expect(client.all('result').map(({ id }) => id)).toEqual([1, 3])
    expect(client.last('error')).toMatchObject({ id: 2, code: 'rate_limited', retryAfterMs: 100 })
    expect(harness.engine.stats().refusals).toEqual({ bytesPerSecond: 1 })
  })
})

describe('[P19] maxRateLimited', () => {
  it('ends the connection of a client that goes on regardless, and says when to come back', async () => {
    const client = await harness.connect({ token: 'ann' })
    publish(client, 100)
    expect(client.all('error')).toHaveLength(4)
    expect(client.closedWith).toBe('rate_limited')
    expect(client.last('disconnect')).toMatchObject({ closeCode: 4005, reconnect: true, retryAfterMs: 100 })
    expect(harness.engine.stats()).toMatchObject({
      refusals: { messagesPerSecond: 4, maxRateLimited: 1 },
      disconnects: { rate_limited: 1 },
      detachedSessions: 1,
    })
  })

  it('forgets refusals when the client has paused for a whole burst', async () => {
    const client = await harness.connect()
    for (let round = 0; round < 10; round++) {
      publish(client, 7)
      harness.advance(1000)
    }
    expect(client.isOpen).toBe(true)
    expect(client.all('error').length).toBeGreaterThan(10)
  })

  it('ends a connection for signs of life without end, which cannot be refused', async () => {
    const client = await harness.connect()
    for (let n = 0; n < 100 && client.isOpen; n++) client.peer.alive()
    expect(client.closedWith).toBe('rate_limited')
    expect(client.all('error')).toEqual([])
  })
})

describe('the other limits of a session', () => {
  it('are counted by their names', async () => {
    const client = await harness.connect()
    for (const channel of ['open:a', 'open:b', 'open:c']) await harness.subscribe(client, channel)
    harness.advance(2000)
    client.say({ type: 'subscribe', id: 4, channel: 'open:d' })
    await turn()
    expect(client.last('error')).toMatchObject({ id: 4, code: 'too_many_channels' })
    client.peer.reject(new FusewireError('message_too_large'))
    client.peer.reject(new FusewireError('message_too_deep'))
    client.peer.reject(new FusewireError('malformed_message'))
    expect(client.closedWith).toBe('malformed_message')
    expect(harness.engine.stats().refusals).toEqual({
      maxChannelsPerSession: 1,
      maxMessageBytes: 1,
      maxDepth: 1,
      maxBadMessages: 1,
    })
  })
})

describe('a session that waits', () => {
  it('keeps its meter only for as long as that knows more than a new one', () => {
    const environment = new FakeEnvironment()
    const ignore = (): void => undefined
    const sessions = new Sessions({
      environment,
      wheel: new TimerWheel(environment.now()),
      counters: new Counters(),
      limits: { sessionTtlMs: 60_000, maxConnectionsPerUser: 10, maxConnections: 10, maxConnectionsPerAddress: 10 },
      groupOf: (address) => address,
      onCreated: ignore,
      onChanged: ignore,
      onDetached: ignore,
      onEnd: ignore,
      onLetGo: ignore,
    })
    const link: SessionLink = {
      connection: { ...CLIENT, format: memoryFormat('test'), send: ignore, close: ignore },
      send: ignore,
      end: ignore,
      refreshed: ignore,
    }
    const waiting = (pauseMs: number): RateMeter | undefined => {
      const session = sessions.create({ capabilities: [], channels: [] }, link, CLIENT)
      session.meter = new RateMeter(LIMITS, environment.now())
      session.meter.count(100, environment.now())
      environment.advance(pauseMs)
      sessions.detach(session, link)
      return session.meter
    }
    expect(waiting(99)).toBeInstanceOf(RateMeter)
    expect(waiting(100)).toBeUndefined()
  })
})
