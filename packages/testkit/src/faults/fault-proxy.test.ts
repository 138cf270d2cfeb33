import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { eventually } from '../eventually.ts'
import type { FaultKind } from './fault.ts'
import { FaultProxy } from './fault-proxy.ts'

/** One end of a connection, with what it has heard and how it has ended. */
class Party {
  readonly socket: Socket
  readonly chunks: Buffer[] = []
  /** Bytes that have come. */
  length = 0
  end: 'FIN' | 'RST' | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.chunks.push(bytes)
      this.length += bytes.length
    })
    socket.on('end', () => {
      this.end = 'FIN'
    })
    socket.on('error', () => {
      this.end = 'RST'
    })
  }

  say(text: string): void {
    this.socket.write(text)
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString()
  }
}

const listen = async (parties: Party[]): Promise<Server> => {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => parties.push(new Party(socket)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return server
}

const it = test
  .extend('served', (): Party[] => [])
  .extend('server', async ({ served }, { onCleanup }) => {
    const server = await listen(served)
    onCleanup(async () => {
      for (const { socket } of served) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    })
    return server
  })
  .extend('proxy', async ({ server }, { onCleanup }) => {
    const proxy = await FaultProxy.start((server.address() as AddressInfo).port)
    onCleanup(() => proxy.close())
    return proxy
  })
  .extend('dial', ({ proxy }, { onCleanup }) => {
    const clients: Party[] = []
    onCleanup(() => {
      for (const { socket } of clients) socket.destroy()
    })
    return (): Party => {
      const client = new Party(connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }))
      clients.push(client)
      return client
    }
  })
  .extend('pair', async ({ dial, served }) => {
    const client = dial()
    client.say('hello')
    await eventually(() => expect(served.at(-1)?.text).toBe('hello'))
    return { client, server: served.at(-1) as Party }
  })

const happened = (proxy: FaultProxy): FaultKind[] =>
  Object.entries(proxy.happened).flatMap(([kind, count]) => (count > 0 ? [kind as FaultKind] : []))

const numbers = Array.from({ length: 3000 }, (_, n) => `${n},`).join('')

it('passes on bytes and ends as they are, both ways', async ({ proxy, pair: { client, server } }) => {
  server.say(numbers)
  client.socket.end('bye')
  await eventually(() => expect([client.text, server.text, server.end]).toEqual([numbers, 'hellobye', 'FIN']))
  expect(client.end).toBeUndefined()
  server.socket.end()
  await eventually(() => expect([client.end, proxy.connections]).toEqual(['FIN', 0]))
  expect(happened(proxy)).toEqual([])
  expect(proxy.accepted).toBe(1)
})

it('passes on a reset as a reset', async ({ pair: { client, server } }) => {
  client.socket.resetAndDestroy()
  await eventually(() => expect(server.end).toBe('RST'))
})

it('makes a fast sender wait for a slow receiver', async ({ pair: { client, server } }) => {
  client.socket.pause()
  const all = 'x'.repeat(20_000_000)
  server.say(all)
  await once(client.socket, 'readable')
  expect(server.socket.writableLength).toBeGreaterThan(5_000_000)
  client.socket.resume()
  await eventually(() => expect(client.length).toBe(all.length))
})

it('delays', async ({ proxy, pair: { client, server } }) => {
  proxy.inject({ kind: 'delay', delayMs: 80 })
  const from = performance.now()
  client.say('!')
  await eventually(() => expect(server.text).toBe('hello!'), { intervalMs: 1 })
  expect(performance.now() - from).toBeGreaterThan(78)
  expect(happened(proxy)).toEqual(['delay'])
})

it('delays by chance, and keeps the order', async ({ proxy, pair: { client, server } }) => {
  proxy.inject({ kind: 'jitter', maxDelayMs: 20 })
  const words = Array.from({ length: 40 }, (_, n) => `${n},`)
  for (const word of words) {
    client.say(word)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await eventually(() => expect(server.text).toBe(`hello${words.join('')}`))
  expect(happened(proxy)).toEqual(['jitter'])
})

it('throttles, for as long as it lasts', async ({ proxy, pair: { client, server } }) => {
  proxy.inject({ kind: 'throttle', bytesPerSecond: 20_000 })
  const from = performance.now()
  client.say('x'.repeat(4_000))
  await eventually(() => expect(server.length).toBe(4_005))
  expect(performance.now() - from).toBeGreaterThan(150)
  proxy.inject({ kind: 'throttle', bytesPerSecond: 10, forMs: 50 })
  client.say('y'.repeat(4_000))
  await eventually(() => expect(server.length).toBe(8_005))
  expect(happened(proxy)).toEqual(['throttle'])
})

it('breaks what is said into fragments', async ({ proxy, pair: { client, server } }) => {
  proxy.inject({ kind: 'fragment', bytes: 1 })
  client.say('one by one')
  await eventually(() => expect(server.text).toBe('helloone by one'))
  expect(server.chunks.length).toBeGreaterThan(3)
  expect(happened(proxy)).toEqual(['fragment'])
})

it('stalls one direction, then releases all of it', async ({ proxy, pair: { client, server } }) => {
  proxy.inject({ kind: 'stall', direction: 'down' })
  server.say(numbers)
  client.say('!')
  await eventually(() => expect([server.text, proxy.happened.stall > 0]).toEqual(['hello!', true]))
  expect(client.text).toBe('')
  proxy.mend()
  await eventually(() => expect(client.text).toBe(numbers))
})

it('is half-open: one direction is lost, and nobody is told', async ({ proxy, pair: { client, server } }) => {
  proxy.inject({ kind: 'half-open', direction: 'up' })
  client.say('lost')
  server.say('heard')
  await eventually(() => expect([client.text, proxy.happened['half-open'] > 0]).toEqual(['heard', true]))
  client.socket.destroy()
  await eventually(() => expect(proxy.connections).toBe(1))
  server.say('and on')
  expect([server.text, server.end]).toEqual(['hello', undefined])
  proxy.mend()
  server.socket.end()
  await eventually(() => expect(proxy.connections).toBe(0))
})

it('cuts: both sides are told that this is the end', async ({ proxy, pair: { client, server } }) => {
  proxy.inject({ kind: 'cut' })
  await eventually(() => expect([client.end, server.end]).toEqual(['FIN', 'FIN']))
  await eventually(() => expect(proxy.connections).toBe(0))
  expect(happened(proxy)).toEqual(['cut'])
})

it('resets both sides', async ({ proxy, pair: { client, server } }) => {
  proxy.inject({ kind: 'reset' })
  await eventually(() => expect([client.end, server.end]).toEqual(['RST', 'RST']))
  expect(happened(proxy)).toEqual(['reset'])
})

it('refuses new connections, for a time', async ({ proxy, dial, served, pair: { client, server } }) => {
  proxy.inject({ kind: 'refuse', forMs: 1000 })
  const refused = dial()
  await eventually(() => expect(refused.end).toBe('RST'))
  client.say('!')
  await eventually(() => expect(server.text).toBe('hello!'))
  await eventually(
    () => {
      dial()
      return served.length > 1
    },
    { intervalMs: 50 },
  )
  expect(happened(proxy)).toEqual(['refuse'])
})

it('lets a later connection get through before an earlier one', async ({ proxy, dial, served }) => {
  proxy.inject({ kind: 'reorder', holdMs: 10_000 })
  dial().say('first')
  await eventually(() => expect(proxy.accepted).toBe(0))
  const second = dial()
  await once(second.socket, 'connect')
  second.say('second')
  await eventually(() => expect(served.map(({ text }) => text)).toEqual(['second', 'first']))
  expect(happened(proxy)).toEqual(['reorder'])
})

it('lets a connection through that no later one follows', async ({ proxy, dial, served }) => {
  proxy.inject({ kind: 'reorder', holdMs: 20 })
  dial().say('alone')
  await eventually(() => expect(served.map(({ text }) => text)).toEqual(['alone']))
  expect(happened(proxy)).toEqual([])
})

it('changes one bit after so many bytes', async ({ proxy, pair: { client, server } }) => {
  proxy.inject({ kind: 'corrupt', direction: 'down', afterBytes: 1_000 })
  server.say('0'.repeat(600))
  await eventually(() => expect(client.length).toBe(600))
  server.say('0'.repeat(600))
  await eventually(() => expect(client.length).toBe(1200))
  const changed = [...Buffer.concat(client.chunks)].flatMap((byte, at) => (byte === 0x30 ? [] : [[at, byte ^ 0x30]]))
  expect(changed).toEqual([[1_000, expect.toSatisfy((bits: number) => [1, 2, 4, 8, 16, 32, 64, 128].includes(bits))]])
  expect(happened(proxy)).toEqual(['corrupt'])
})

it('truncates: so many bytes pass, then it is cut', async ({ proxy, pair: { client, server } }) => {
  proxy.inject({ kind: 'truncate', direction: 'down', afterBytes: 1_500 })
  server.say('a'.repeat(1_000))
  await eventually(() => expect(client.length).toBe(1_000))
  expect(client.end).toBeUndefined()
  server.say('b'.repeat(1_000))
  await eventually(() => expect([client.length, client.end, server.end]).toEqual([1_500, 'FIN', 'FIN']))
  expect(happened(proxy)).toEqual(['truncate'])
})

it('is severed, and mended to another server', async ({ proxy, dial, served, pair: { client } }) => {
  proxy.sever()
  const refused = dial()
  await eventually(() => expect([client.end, refused.end]).toEqual(['RST', 'RST']))
  const others: Party[] = []
  const other = await listen(others)
  proxy.mend((other.address() as AddressInfo).port)
  const moved = dial()
  moved.say('moved')
  await eventually(() => expect(others.map(({ text }) => text)).toEqual(['moved']))
  expect(served).toHaveLength(1)
  for (const { socket } of others) socket.destroy()
  other.close()
})

it('resets those whose server is not there', async ({ proxy, server, dial }) => {
  await new Promise((resolve) => server.close(resolve))
  const client = dial()
  await eventually(() => expect(client.end).toBe('RST'))
  expect(proxy.connections).toBe(0)
})

it('runs a schedule, until it is stopped', async ({ proxy, pair: { client } }) => {
  const stop = new AbortController()
  const run = proxy.run(
    [
      { atMs: 0, fault: { kind: 'stall', direction: 'up' } },
      { atMs: 20, fault: { kind: 'reset' } },
      { atMs: 60_000, fault: { kind: 'refuse' } },
    ],
    stop.signal,
  )
  await eventually(() => expect(client.end).toBe('RST'))
  stop.abort()
  await run
  expect(happened(proxy)).toEqual(['reset'])
})
