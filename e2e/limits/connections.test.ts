import { once } from 'node:events'
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { eventually } from '@fusewire/testkit'
import { describe, expect, onTestFinished } from 'vitest'
import { harmTest } from '../bystanders.ts'
import { API_KEY, PRODUCTION, signToken } from '../server-variants.ts'
import { connectStream, handshakeHead } from '../wire/open-websocket.ts'
import { readUntil } from '../wire/read-until.ts'

const PROXY = '127.0.0.9'
const LIMITS = { maxConnectionsPerAddress: 15, handshakesPerSecondPerAddress: 50, stateReadsPerSecondPerAddress: 2 }
const RULES = [{ pattern: 'doc:*', state: true }]
const it = harmTest({ ...PRODUCTION, ...LIMITS, rules: [...(PRODUCTION.rules ?? []), ...RULES], trustedProxies: [PROXY] })

/** Connects from one of the many addresses of the loopback interface. */
const connectFrom = (localAddress: string, port: number): Socket => {
  const socket = connect({ host: '127.0.0.1', port, localAddress })
  socket.on('error', () => {})
  onTestFinished(() => {
    socket.destroy()
  })
  return socket
}

/** A WebSocket handshake that a proxy passes on for this client. */
const handshakeFor = (client: string): string => handshakeHead().replace('\r\n\r\n', `\r\nX-Forwarded-For: ${client}\r\n\r\n`)

const openSockets = (sockets: readonly Socket[]): number => sockets.filter(({ closed }) => !closed).length

/** One HTTP/2 connection from an address of the loopback interface. */
const connectHttp2From = async (localAddress: string, url: string): Promise<ClientHttp2Session> => {
  const session = connectHttp2(url, {
    createConnection: ({ hostname, port }) =>
      connectTls({
        host: hostname,
        port: Number(port),
        servername: 'localhost',
        ALPNProtocols: ['h2'],
        localAddress,
      } as ConnectionOptions),
  })
  session.on('error', () => {})
  onTestFinished(() => session.destroy())
  await once(session, 'remoteSettings')
  return session
}

describe('one address', () => {
  it('has maxConnectionsPerAddress connections and no more, in the clear or not', async ({ server, api }) => {
    const sockets: Socket[] = []
    for (let n = 0; n < 20; n++)
      for (const port of [server.httpPort, server.httpsPort]) {
        const socket = connectFrom('127.0.0.2', port)
        sockets.push(socket)
        await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined)
      }
    await eventually(() => expect(openSockets(sockets)).toBe(LIMITS.maxConnectionsPerAddress))
    expect(await api.metric('fusewire_refusals_total', { limit: 'maxConnectionsPerAddress' })).toBeGreaterThanOrEqual(25)
    expect(server.log).toContain('"limit":"maxConnectionsPerAddress"')
    for (const socket of sockets) socket.destroy()
    await eventually(async () => {
      const again = connectFrom('127.0.0.2', server.httpPort)
      again.write(handshakeHead())
      await readUntil(again, 'HTTP/1.1 101')
    })
  })

  it('shakes hands handshakesPerSecondPerAddress times a second and no more', async ({ server, api }) => {
    let accepted = 0
    const begun = performance.now()
    for (let n = 0; n < 400; n++) {
      const socket = connectFrom('127.0.0.3', server.httpPort)
      socket.write(`GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
      const answer = await readUntil(socket, '200 OK').catch(() => undefined)
      if (answer) accepted++
      socket.destroy()
    }
    const seconds = (performance.now() - begun) / 1000
    expect(accepted).toBeGreaterThanOrEqual(Math.min(400, LIMITS.handshakesPerSecondPerAddress))
    expect(accepted).toBeLessThanOrEqual(LIMITS.handshakesPerSecondPerAddress * (2 + seconds + 1))
    if (accepted < 400)
      expect(await api.metric('fusewire_refusals_total', { limit: 'handshakesPerSecondPerAddress' })).toBe(400 - accepted)
  })

  it('has no more connections within one of HTTP/2 either', async ({ server }) => {
    const session = await connectHttp2From('127.0.0.4', server.https)
    const sockets = await Promise.all(Array.from({ length: 20 }, () => connectStream(session)))
    await eventually(() => expect(sockets.filter(({ closed }) => closed?.code === 4006)).toHaveLength(5))
    expect(sockets.filter(({ closed }) => closed)).toHaveLength(5)
  })

  it('leaves no more sessions behind, though its clients come and go within one connection', async ({ server, api }) => {
    const session = await connectHttp2From('127.0.0.5', server.https)
    const before = await api.metric('fusewire_refusals_total', { limit: 'maxConnectionsPerAddress' })
    const rounds = LIMITS.maxConnectionsPerAddress + 10
    for (let n = 0; n < rounds; n++) {
      const socket = await connectStream(session)
      socket.send(JSON.stringify({ type: 'connect', token: await signToken(`user-${n}`) }))
      await eventually(() => expect(socket.messages.join('')).toContain('"connected"'))
      socket.close(1001)
      await eventually(() => expect(socket.closed).toBeDefined())
    }
    await eventually(async () => {
      const given = (await api.metric('fusewire_refusals_total', { limit: 'maxConnectionsPerAddress' })) - before
      expect(given).toBe(rounds - LIMITS.maxConnectionsPerAddress)
    })
    expect(await api.metric('fusewire_sessions', { state: 'detached' })).toBeGreaterThanOrEqual(LIMITS.maxConnectionsPerAddress)
  })
})

describe('a document over HTTP', () => {
  it('is read by one address stateReadsPerSecondPerAddress times a second and no more, and by the application at will', async ({
    server,
    api,
  }) => {
    await api.publish('doc:1', 1)
    const read = async (client: string, token: string): Promise<string> => {
      const socket = connectFrom(PROXY, server.httpPort)
      const headers = ['Host: a', 'Connection: close', `X-Forwarded-For: ${client}`, `Authorization: Bearer ${token}`]
      socket.write(`GET /v1/channels/doc:1/state HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`)
      return (await readUntil(socket, undefined)).text
    }
    const token = await signToken('ann')
    const answers = await Promise.all(Array.from({ length: 20 }, () => read('203.0.113.10', token)))
    const refused = answers.filter((answer) => answer.startsWith('HTTP/1.1 429'))
    expect(refused.length).toBeGreaterThan(0)
    for (const answer of refused) expect(answer).toMatch(/^retry-after: 1\r$.*"rate_limited"/msu)
    const served = answers.filter((answer) => answer.startsWith('HTTP/1.1 200'))
    expect(served.length).toBe(answers.length - refused.length)
    expect(served.length).toBeGreaterThanOrEqual(2 * LIMITS.stateReadsPerSecondPerAddress)
    expect(await api.metric('fusewire_refusals_total', { limit: 'stateReadsPerSecondPerAddress' })).toBe(refused.length)
    expect(server.log).toContain('"limit":"stateReadsPerSecondPerAddress"')
    expect(await read('203.0.113.11', token)).toMatch(/^HTTP\/1.1 200/u)
    for (let n = 0; n < 10; n++) expect(await read('203.0.113.10', API_KEY)).toMatch(/^HTTP\/1.1 200/u)
  })
})

describe('a trusted proxy', () => {
  it('passes on many more, each client counted by its own address', async ({ server }) => {
    const open = async (client: string, answer = 'HTTP/1.1 101'): Promise<void> => {
      const socket = connectFrom(PROXY, server.httpPort)
      socket.write(handshakeFor(client))
      await readUntil(socket, answer)
    }
    for (const client of ['203.0.113.1', '203.0.113.2', '2001:db8::1'])
      for (let n = 0; n < LIMITS.maxConnectionsPerAddress; n++) await open(client)
    // Another address of the same /64.
    for (const client of ['203.0.113.1', '2001:db8::2']) await open(client, '"closeCode":4006')
    await open('2001:db8:0:1::1')
  })

  it('is not what anybody else can say to be', async ({ server }) => {
    const sockets: Socket[] = []
    for (let n = 0; n < LIMITS.maxConnectionsPerAddress + 5; n++) {
      const socket = connectFrom('127.0.0.6', server.httpPort)
      socket.write(handshakeFor(`203.0.113.${n}, ${PROXY}`))
      sockets.push(socket)
      await Promise.race([readUntil(socket, 'HTTP/1.1 101'), once(socket, 'close')]).catch(() => undefined)
    }
    await eventually(() => expect(openSockets(sockets)).toBe(LIMITS.maxConnectionsPerAddress))
    sockets[0]?.write(Buffer.from([0xff, 0xff]))
    await eventually(() => expect(server.log).toContain('"remoteAddress":"127.0.0.6"'))
  })

  it('is who it says that the client is, in the log', async ({ server }) => {
    const socket = connectFrom(PROXY, server.httpPort)
    socket.write(handshakeFor('198.51.100.7, 203.0.113.77'))
    await readUntil(socket, '\r\n\r\n')
    // No frame begins like this.
    socket.write(Buffer.from([0xff, 0xff]))
    await eventually(() => expect(server.log).toContain('"remoteAddress":"203.0.113.77"'))
  })
})
