import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { harness, pass } from './testing/harness.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe('in a page', () => {
  const page = () => {
    const window = new EventTarget()
    const document = Object.assign(new EventTarget(), { visibilityState: 'visible' })
    vi.stubGlobal('addEventListener', window.addEventListener.bind(window))
    vi.stubGlobal('document', document)
    const fire = (type: string, fields: object = {}) => window.dispatchEvent(Object.assign(new Event(type), fields))
    return { fire, document }
  }

  test('the network coming up ends the wait', async () => {
    const { fire } = page()
    const { client, network } = harness(
      { transports: ['websocket'], minBackoffMs: 100_000, maxBackoffMs: 100_000 },
      { webSocket: 'refuse' },
    )
    vi.spyOn(Math, 'random').mockReturnValue(0.9)
    void client.connect()
    await pass()
    delete network.webSocket
    fire('offline')
    await pass(10)
    expect(client.connection.status).toBe('waiting')
    fire('online')
    await pass()
    expect(client.connection.status).toBe('connected')
    await client.close()
  })

  test('a page that is shown again, or goes offline, looks whether the line is still there', async () => {
    const { fire, document } = page()
    const { client, server } = harness()
    void client.connect()
    await pass()
    document.visibilityState = 'hidden'
    document.dispatchEvent(new Event('visibilitychange'))
    await pass()
    expect(server.count('ping')).toBe(0)
    document.visibilityState = 'visible'
    document.dispatchEvent(new Event('visibilitychange'))
    await pass()
    expect(server.count('ping')).toBe(1)
    fire('offline')
    await pass()
    expect(server.count('ping')).toBe(2)
    await client.close()
  })

  test('the back/forward cache holds no connection; the page comes back where it was', async () => {
    const { fire } = page()
    const { client, server, live } = harness()
    const heard: unknown[] = []
    const channel = client.channel('c')
    channel.on('publication', ({ data }) => heard.push(data))
    void channel.subscribe()
    await pass()
    fire('pagehide', { persisted: true })
    await pass(100_000)
    expect(live.size).toBe(0)
    expect(client.connection).toMatchObject({ status: 'waiting', error: { code: 'suspended' } })
    server.publish('c', 'meanwhile')
    fire('pageshow', { persisted: true })
    await pass()
    expect(heard).toEqual(['meanwhile'])
    await client.close()
  })

  test('a page that goes for good says goodbye', async () => {
    const { fire } = page()
    const { client, server } = harness()
    void client.connect()
    await pass()
    fire('pagehide', { persisted: false })
    await pass()
    expect(server.received.at(-1)).toEqual({ type: 'disconnect' })
    expect(client.connection.status).toBe('closed')
  })

  test('after close nothing listens any more', async () => {
    const removed: AbortSignal[] = []
    vi.stubGlobal('addEventListener', (_: string, __: unknown, { signal }: { signal: AbortSignal }) => removed.push(signal))
    const { client } = harness()
    void client.connect()
    await pass()
    expect(removed.length).toBeGreaterThan(0)
    await client.close()
    expect(removed.every(({ aborted }) => aborted)).toBe(true)
  })
})
