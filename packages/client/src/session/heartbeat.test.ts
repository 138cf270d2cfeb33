import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { harness, pass, settled } from '../testing/harness.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe('heartbeat', () => {
  test('it pings in the interval, and tells the latency', async () => {
    const { client, server } = harness()
    const latencies: number[] = []
    client.on('latency', (ms) => void latencies.push(ms))
    void client.connect()
    await pass(25_000)
    expect(server.count('ping')).toBe(1)
    await pass(50_000)
    expect(server.count('ping')).toBe(3)
    expect(latencies).toHaveLength(3)
    expect(client.connection.latencyMs).toBe(latencies[2])
    await client.close()
  })

  test('a line over which nothing comes back is lost', async () => {
    const { client, server, states } = harness({ transports: ['websocket'] })
    void client.connect()
    await pass()
    server.intercept = ({ type }) => (type === 'ping' ? 'silence' : undefined)
    await pass(30_000)
    expect(states.some(({ status, error }) => status === 'waiting' && error?.message.includes('pongTimeoutMs'))).toBe(true)
    await client.close()
  })

  test('publications that arrive prove that the line lives, but for an interval at most: it may be dead the other way', async () => {
    const { client, server } = harness()
    void client.channel('c').subscribe()
    await pass()
    server.intercept = ({ type }) => (type === 'ping' ? 'silence' : undefined)
    const hear = async (seconds: number): Promise<void> => {
      for (let i = 0; i < seconds; i++) {
        await pass(1000)
        server.publish('c', i)
      }
    }
    while (server.count('ping') === 0) await hear(1)
    await hear(28)
    expect(server.lines).toHaveLength(1)
    await hear(4)
    expect(server.lines).toHaveLength(2)
    await client.close()
  })

  test('a round trip can be measured at any time', async () => {
    const { client } = harness()
    void client.connect()
    await pass()
    const measured = settled(client.ping())
    await pass()
    expect(await measured).toEqual({ value: expect.any(Number) })
    await client.close()
  })
})
