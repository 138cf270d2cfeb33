import type { ClientMessage, DisconnectCode } from '@fusewire/protocol'
import { FusewireError } from '@fusewire/protocol'
import { EngineHarness, HeldCalls, MemoryConnection, plainAuthenticator, turn } from '@fusewire/testkit'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'

/** A client that takes its time to read the end of its stream, and speaks on meanwhile; `cut` is when it has read it. */
class SlowReader extends MemoryConnection {
  override close(code: DisconnectCode): void {
    this.closedWith ??= code
  }
}

let harness: EngineHarness
beforeEach(async () => {
  harness = await EngineHarness.start()
})

const open = (): SlowReader => new SlowReader((connection) => harness.engine.open(connection))

const connected = async (client: SlowReader, token = 'ann'): Promise<SlowReader> => {
  client.say({ type: 'connect', token, subscriptions: [{ channel: 'open:a', presence: true }] })
  await turn()
  return client
}

describe('a connection that is connecting', () => {
  it('[L4] is refused every request, and carries them out once it is connected', async () => {
    const client = open()
    client.say({ type: 'publish', id: 1, channel: 'open:a', data: 1 })
    expect(client.last('error')).toMatchObject({ id: 1, code: 'not_connected' })
    await connected(client)
    client.say({ type: 'publish', id: 2, channel: 'open:a', data: 2 })
    expect(client.last('result')).toMatchObject({ id: 2 })
  })

  it('[L4] never gets a session when it ends while its token is checked', async () => {
    const tokens = new HeldCalls()
    harness = await EngineHarness.start({ authenticator: tokens.of(plainAuthenticator, 'authenticate') })
    tokens.holding = 'calls'
    const ended = open()
    ended.say({ type: 'connect', token: 'ann' })
    ended.peer.reject(new FusewireError('wrong_frame_type'))
    const cut = open()
    cut.say({ type: 'connect', token: 'ann' })
    cut.cut()
    tokens.release()
    await turn()
    expect(ended.received.map(({ type }) => type)).toEqual(['disconnect'])
    expect(cut.received).toEqual([])
    expect(harness.engine.stats()).toMatchObject({ sessions: 0, sessionsCreated: 0 })
  })
})

describe('a connection that is disconnecting', () => {
  it('[L5] is sent nothing after disconnect, and what it says has no effect', async () => {
    const client = await connected(open())
    const bystander = await connected(open(), 'bob')
    client.say({ type: 'rpc', id: 1, method: 'nothing' })
    harness.engine.disconnectUser({ user: 'ann' })
    client.say({ type: 'publish', id: 2, channel: 'open:a', data: 'too late' })
    client.say({ type: 'disconnect' })
    client.peer.reject(new FusewireError('malformed_message'))
    harness.engine.publish('open:a', { data: 'for others' })
    await turn()
    expect(client.received.at(-1)).toMatchObject({ type: 'disconnect', code: 'disconnected' })
    expect(bystander.all('publication').map(({ data }) => data)).toEqual(['for others'])
    expect(harness.engine.stats().disconnects).toEqual({ disconnected: 1 })
  })

  it('[L6] is counted until its stream has ended, and waits for nothing', async () => {
    const client = await connected(open())
    harness.engine.disconnectUser({ user: 'ann' })
    harness.advance(120_000)
    expect(harness.engine.stats()).toMatchObject({ connections: 1, sessions: 0, disconnects: { disconnected: 1 } })
    expect(client.probes).toBe(0)
    client.cut()
    expect(harness.engine.stats().connections).toBe(0)
  })

  it('[L7] keeps its session when it may come back, and no longer when it may not', async () => {
    const dismissed = await connected(open())
    harness.advance(24_000)
    dismissed.say({ type: 'ping' })
    harness.advance(31_000)
    expect(dismissed.closedWith).toBe('heartbeat_timeout')
    expect(harness.engine.stats()).toMatchObject({ sessions: 1, detachedSessions: 1 })

    const { resume } = dismissed.last('connected')
    const expelled = open()
    expelled.say({ type: 'connect', resume, token: 'ann' })
    await turn()
    expect(expelled.last('connected').resumed).toBe(true)
    expelled.peer.reject(new FusewireError('wrong_frame_type'))
    expect(harness.engine.stats().sessions).toBe(0)
  })

  it('[L8] does not take its session with it when another connection has it', async () => {
    const first = await connected(open())
    const second = open()
    second.say({ type: 'connect', resume: first.last('connected').resume, token: 'ann' })
    await turn()
    expect(first.closedWith).toBe('session_replaced')
    first.say({ type: 'disconnect' })
    first.cut()
    second.say({ type: 'publish', id: 1, channel: 'open:a', data: 1 })
    expect(second.last('result')).toMatchObject({ id: 1 })
    expect(harness.engine.stats()).toMatchObject({ sessions: 1, detachedSessions: 0, connections: 1 })
  })
})

describe('a token that is missing or refused', () => {
  it('[L18] is told to the operator, wherever it was sent, and is not in the log itself', async () => {
    const client = await connected(open())
    client.say({ type: 'refresh', id: 1, token: 'bob' })
    await turn()
    client.say({ type: 'subscribe', id: 2, channel: 'secret:a', token: 'ann>secret:b' })
    await turn()
    open().say({ type: 'connect', token: 'bad' })
    await turn()
    const from = { code: 'token_invalid', transport: 'websocket', remoteAddress: '127.0.0.1' }
    expect(harness.events.filter(([event]) => event === 'token_refused').map(([, details]) => details)).toEqual([
      { ...from, request: 'refresh' },
      { ...from, request: 'subscribe', channel: 'secret:a' },
      { ...from, request: 'connect' },
    ])
    expect(JSON.stringify(harness.events)).not.toContain('ann>')
  })
})

describe('any lives of connections', () => {
  type Act = (clients: SlowReader[], at: number, tokens: HeldCalls) => void
  const say =
    (message: ClientMessage): Act =>
    (clients, at) =>
      clients[at]?.say(message)
  const acts: readonly Act[] = [
    (clients, at) => {
      clients[at]?.cut()
      clients[at] = open()
    },
    (clients, at) => clients[at]?.cut(),
    say({ type: 'connect', token: 'ann', subscriptions: [{ channel: 'open:a' }] }),
    say({ type: 'connect', token: 'bad' }),
    (clients, at) => {
      const [one] = clients.flatMap((client) => client.all('connected'))
      clients[at]?.say({ type: 'connect', token: 'ann', ...(one && { resume: one.resume }) })
    },
    say({ type: 'subscribe', id: 1, channel: 'open:b' }),
    say({ type: 'refresh', id: 2, token: 'ann' }),
    say({ type: 'publish', id: 3, channel: 'open:a', data: 1 }),
    say({ type: 'ping' }),
    say({ type: 'disconnect' }),
    (clients, at) => clients[at]?.isOpen && clients[at].peer.reject(new FusewireError('malformed_message')),
    () => harness.engine.disconnectUser({ user: 'ann' }),
    () => harness.engine.publish('open:a', { data: 2 }),
    () => harness.advance(4000),
    () => harness.advance(40_000),
    (_, at, tokens) => {
      tokens.holding = at === 0 ? 'calls' : 'nothing'
    },
    (_, __, tokens) => tokens.release(),
  ]
  const script = fc.array(fc.record({ act: fc.nat(acts.length - 1), at: fc.nat(2), wait: fc.boolean() }), {
    maxLength: 60,
  })

  it('[L5] [L6] [L9] never throw, never speak after the end, and leave nothing', async () => {
    await fc.assert(
      fc.asyncProperty(script, async (steps) => {
        const tokens = new HeldCalls()
        harness = await EngineHarness.start({ authenticator: tokens.of(plainAuthenticator, 'authenticate') })
        const clients = [open(), open(), open()]
        const all = new Set(clients)
        for (const { act, at, wait } of steps) {
          acts[act]?.(clients, at, tokens)
          for (const client of clients) all.add(client)
          if (wait) await turn()
          const { sessions, detachedSessions, connections } = harness.engine.stats()
          expect(connections).toBe([...all].filter(({ isOpen }) => isOpen).length)
          expect(sessions - detachedSessions).toBeLessThanOrEqual(connections)
        }
        for (const client of all) {
          const types = client.received.map(({ type }) => type)
          if (types.includes('disconnect')) expect(types.indexOf('disconnect')).toBe(types.length - 1)
          client.cut()
        }
        tokens.holding = 'nothing'
        tokens.release()
        await turn()
        harness.advance(61_000)
        await turn()
        expect(harness.engine.stats()).toMatchObject({ connections: 0, sessions: 0, subscriptions: 0, channels: 0 })
      }),
      { numRuns: 150 },
    )
  })
})
