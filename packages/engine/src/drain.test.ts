import { EngineHarness, type MemoryConnection, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'

const WINDOW_MS = 5000

let harness: EngineHarness
beforeEach(async () => {
  harness = await EngineHarness.start()
})

const connectMany = (count: number): Promise<MemoryConnection[]> =>
  Promise.all(Array.from({ length: count }, () => harness.connect()))

const toldOf = (clients: readonly MemoryConnection[]): number =>
  clients.filter(({ closedWith }) => closedWith === 'server_draining').length

describe('a drain of the engine', () => {
  it('tells each client once to come back, at moments spread over the window', async () => {
    const clients = await connectMany(100)
    harness.engine.drain(WINDOW_MS)
    const told: number[] = []
    for (let at = 0; at < WINDOW_MS; at += 500) {
      told.push(toldOf(clients))
      harness.advance(500)
    }
    // A tenth of the clients in each tenth of the window, and the first one at once.
    expect(told).toEqual([1, 11, 21, 31, 41, 51, 61, 71, 81, 91])
    expect(toldOf(clients)).toBe(100)
    expect(harness.engine.staying).toBe(0)
    for (const client of clients)
      expect(client.all('disconnect')).toEqual([
        { type: 'disconnect', code: 'server_draining', closeCode: 4001, reason: expect.any(String), reconnect: true },
      ])
    expect(harness.engine.stats()).toMatchObject({
      sessions: 100,
      detachedSessions: 100,
      connections: 0,
      disconnects: { server_draining: 100 },
    })
  })

  it('goes on delivering to those who are still here', async () => {
    const clients = await connectMany(4)
    for (const client of clients) await harness.subscribe(client, 'open:a')
    harness.engine.drain(WINDOW_MS)
    harness.advance(2500)
    harness.engine.publish('open:a', { data: 'late' })
    for (const client of clients) expect(client.all('publication')).toHaveLength(client.isOpen ? 1 : 0)
    expect(toldOf(clients)).toBe(3)
  })

  it('tells those who connect meanwhile as well', async () => {
    await connectMany(2)
    harness.engine.drain(WINDOW_MS)
    harness.advance(WINDOW_MS / 2)
    const late = await harness.connect()
    expect(late.last('connected')).toBeDefined()
    harness.advance(WINDOW_MS / 2)
    expect(late.closedWith).toBe('server_draining')
    const later = harness.open()
    harness.advance(250)
    expect(later.closedWith).toBe('server_draining')
  })

  it('answers what a client has asked for before it is told', async () => {
    let answer: (value: unknown) => void = () => {}
    harness.rpc.add('slow', () => new Promise((resolve) => (answer = resolve)))
    const client = await harness.connect({ token: 'ann' })
    client.say({ type: 'rpc', id: 7, method: 'slow' })
    harness.engine.drain(0)
    harness.advance(2000)
    expect(client.isOpen).toBe(true)
    expect(harness.engine.staying).toBe(1)
    answer('done')
    await turn()
    harness.advance(250)
    expect(client.received.slice(-2)).toMatchObject([{ type: 'result', id: 7, data: 'done' }, { type: 'disconnect' }])
    expect(harness.engine.staying).toBe(0)
  })

  it('lets a connect that is under way come to its answer', async () => {
    const client = harness.open()
    client.say({ type: 'connect', id: 1 })
    harness.engine.drain(0)
    expect(client.isOpen).toBe(true)
    await turn()
    harness.advance(250)
    expect(client.received.map(({ type }) => type)).toEqual(['connected', 'disconnect'])
  })

  it('ends at once for all with disconnectAll, whatever they wait for', async () => {
    harness.rpc.add('never', () => new Promise(() => {}))
    const clients = await connectMany(3)
    clients[0]?.say({ type: 'rpc', id: 7, method: 'never' })
    harness.engine.drain(WINDOW_MS)
    harness.engine.disconnectAll()
    expect(toldOf(clients)).toBe(3)
    expect(harness.engine.staying).toBe(0)
  })
})
