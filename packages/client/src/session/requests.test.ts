import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { refuse } from '../testing/fake-server.ts'
import { harness, pass, settled } from '../testing/harness.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const setup = async (...[options]: Parameters<typeof harness>) => {
  const all = harness({ transports: ['websocket'], ...options })
  void settled(all.client.connect())
  await pass()
  return all
}

describe('without a connection', () => {
  test('requests wait, and go out in their order', async () => {
    const { client, server } = harness()
    const channel = client.channel<number>('c')
    const published = [1, 2, 3].map((data) => channel.publish(data))
    expect(server.received).toEqual([])
    await pass()
    await Promise.all(published)
    expect(server.channel('c').log.map(({ data }) => data)).toEqual([1, 2, 3])
    await client.close()
  })

  test('they wait as long as it takes', async () => {
    const { client, server, network } = harness({ transports: ['websocket'] }, { webSocket: 'refuse' })
    const published = settled(client.channel('c').publish('late'))
    await pass(3_600_000)
    delete network.webSocket
    await pass(120_000)
    expect(await published).toHaveProperty('value')
    expect(server.channel('c').log).toHaveLength(1)
    await client.close()
  })

  test('they are refused when that is asked for', async () => {
    const { client, network, server } = await setup({ whenOffline: 'refuse' })
    expect(await settled(Promise.race([client.rpc('x'), pass().then(() => 'sent')]))).toHaveProperty('value')
    network.webSocket = 'refuse'
    server.cut()
    expect(await settled(client.channel('c').publish(1))).toMatchObject({ error: { code: 'offline', retryable: true } })
    await client.close()
  })

  test('no more than maxQueuedRequests wait', async () => {
    const { client } = harness({ maxQueuedRequests: 2 }, { webSocket: 'refuse', stream: 'refuse', sse: 'refuse', poll: 'refuse' })
    const outcomes = [1, 2, 3].map((data) => settled(client.channel('c').publish(data)))
    await pass()
    expect(await outcomes[2]).toMatchObject({ error: { code: 'queue_full', retryable: true } })
    await client.close()
    expect(await outcomes[0]).toMatchObject({ error: { code: 'closed' } })
  })
})

describe('when the line is cut after the request was sent', () => {
  test('a publish is sent again with the same key, ahead of newer ones, and is not doubled', async () => {
    const { client, server } = await setup()
    let isCut = false
    const after = server.receive.bind(server)
    server.receive = (line, message) => {
      if (isCut || message.type !== 'publish') return after(line, message)
      // Carried out, but the answer is lost.
      isCut = true
      server.publish(message.channel, message.data, message)
      line.cut()
    }
    const channel = client.channel<string>('c')
    const first = settled(channel.publish('first'))
    await Promise.resolve()
    await Promise.resolve()
    const second = settled(channel.publish('second'))
    await pass(1000)
    expect(await first).toMatchObject({ value: { position: { offset: 1 } } })
    expect(await second).toMatchObject({ value: { position: { offset: 2 } } })
    expect(server.channel('c').log.map(({ data }) => data)).toEqual(['first', 'second'])
    await client.close()
  })

  test('publishes keep their order, those that were under way before those that waited', async () => {
    const { client, server } = await setup()
    server.intercept = (message) => (message.type === 'publish' ? 'silence' : undefined)
    const channel = client.channel<number>('c')
    const outcomes = Array.from({ length: 150 }, (_, i) => settled(channel.publish(i)))
    await pass()
    server.intercept = () => undefined
    server.cut()
    await pass(1000)
    for (const outcome of await Promise.all(outcomes)) expect(outcome).toHaveProperty('value')
    expect(server.channel('c').log.map(({ data }) => data)).toEqual(Array.from({ length: 150 }, (_, i) => i))
    await client.close()
  })

  test('an rpc is given up, because it may have been carried out', async () => {
    const { client, server } = await setup()
    server.intercept = (message) => (message.type === 'rpc' ? 'silence' : undefined)
    const outcome = settled(client.rpc('pay'))
    await pass()
    client.interrupt()
    expect(await outcome).toMatchObject({ error: { code: 'connection_lost', retryable: true } })
    await pass(1000)
    expect(server.count('rpc')).toBe(1)
    await client.close()
  })

  test('an rpc that was not sent yet waits for the next connection', async () => {
    const { client } = await setup()
    client.interrupt()
    const outcome = settled(client.rpc('sum', [1, 2]))
    await pass(1000)
    expect(await outcome).toEqual({ value: { method: 'sum', data: [1, 2] } })
    await client.close()
  })

  test('a publish is not repeated when the server may have forgotten its key', async () => {
    const { client, server, network } = await setup()
    server.intercept = (message) => (message.type === 'publish' ? 'silence' : undefined)
    const outcome = settled(client.channel('c').publish(1))
    await pass()
    network.webSocket = 'refuse'
    client.interrupt()
    await pass(59_000)
    expect(server.count('publish')).toBe(1)
    await pass(1001)
    expect(await outcome).toMatchObject({ error: { code: 'timeout', retryable: true } })
    delete network.webSocket
    await pass(120_000)
    expect(server.count('publish')).toBe(1)
    await client.close()
  })

  test('nor when the line is cut by somebody who is told of another timeout', async () => {
    const { client, server } = await setup({ requestTimeoutMs: 120_000 })
    server.intercept = (message) => (message.type === 'publish' || message.type === 'subscribe' ? 'silence' : undefined)
    const channel = client.channel('c')
    channel.on('error', () => client.interrupt())
    void settled(channel.subscribe())
    const outcome = settled(channel.publish(1))
    await pass(121_000)
    expect(await outcome).toMatchObject({ error: { code: 'timeout' } })
    await pass(10_000)
    expect(server.count('publish')).toBe(1)
    await client.close()
  })
})

describe('answers', () => {
  test('[L17] one that does not come in time is a timeout', async () => {
    const { client, server } = await setup({ requestTimeoutMs: 500 })
    server.intercept = (message) => (message.type === 'rpc' ? 'silence' : undefined)
    const outcome = settled(client.rpc('x'))
    await pass(499)
    const later = settled(client.rpc('y'))
    await pass(1)
    expect(await outcome).toMatchObject({ error: { code: 'timeout', retryable: true } })
    await pass(499)
    expect(await later).toMatchObject({ error: { code: 'timeout' } })
    expect(client.connection.status).toBe('connected')
    await client.close()
  })

  test('a refusal has the code of the server', async () => {
    const { client, server } = await setup()
    server.intercept = (message) => refuse(message, 'overloaded', { retryable: true, retryAfterMs: 7 })
    const outcome = settled(client.rpc('x'))
    await pass()
    expect(await outcome).toMatchObject({ error: { name: 'ClientError', code: 'overloaded', retryable: true, retryAfterMs: 7 } })
    server.intercept = () => undefined
    await client.close()
  })

  test('what cannot be encoded is refused alone', async () => {
    const { client, server } = await setup()
    const channel = client.channel<unknown>('c')
    const circular: { self?: unknown } = {}
    circular.self = circular
    const outcomes = [channel.publish(1n), channel.publish(circular), channel.publish(undefined)].map(settled)
    await pass()
    expect(await outcomes[0]).toMatchObject({ error: { code: 'invalid_field', cause: { name: 'TypeError' } } })
    expect(await outcomes[1]).toMatchObject({ error: { code: 'invalid_field' } })
    expect(await outcomes[2]).toHaveProperty('value')
    expect(server.channel('c').log.map(({ data }) => data)).toEqual([null])
    await client.close()
  })

  test('no more requests are under way than the server takes', async () => {
    const { client, server } = await setup()
    server.intercept = (message) => (message.type === 'rpc' ? 'silence' : undefined)
    for (let i = 0; i < 300; i++) void settled(client.rpc('x'))
    await pass()
    expect(server.count('rpc')).toBe(100)
    for (const message of server.received.slice(-10)) server.say({ type: 'result', id: (message as { id?: number }).id })
    await pass()
    expect(server.count('rpc')).toBe(110)
    await client.close()
  })
})

test('what has been answered keeps no client that is closed', async () => {
  const { client } = await setup()
  const outcome = settled(client.rpc('sum', [1, 2]))
  await pass()
  expect(await outcome).toHaveProperty('value')
  await client.close()
  expect(vi.getTimerCount()).toBe(0)
})
