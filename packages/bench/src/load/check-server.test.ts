import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { Server as SocketIoServer } from 'socket.io'
import { afterEach, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { checkServer } from './check-server.ts'
import { DIALECTS } from './dialect.ts'
import type { Address } from './open-socket.ts'

const SHORT_MS = 200

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const listen = async (server: Server): Promise<Address> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, isTls: false }
}

/** A server of Socket.IO as somebody would write it for this benchmark. */
const socketIo = async (): Promise<Address> => {
  const http = createServer()
  const io = new SocketIoServer(http, { serveClient: false })
  closing.push(() => io.close())
  io.on('connection', (socket) => {
    socket.on('subscribe', async (channels: string[]) => {
      await socket.join(channels)
      socket.emit('subscribed')
    })
    socket.on('publish', (channel: string, message: unknown) => {
      io.to(channel).emit('publication', message)
    })
  })
  return listen(http)
}

/** One that opens any WebSocket, says nothing, and hears what it is told. */
const silent = async (): Promise<{ address: Address; heard: string[] }> => {
  const heard: string[] = []
  const http = createServer()
  const server = new WebSocketServer({ server: http })
  closing.push(() => {
    for (const client of server.clients) client.terminate()
  })
  server.on('connection', (socket) => {
    socket.on('message', (data) => heard.push(String(data)))
  })
  return { address: await listen(http), heard }
}

it('is content with a real Socket.IO server: its packets are understood, and ours are', async () => {
  await expect(checkServer(await socketIo(), DIALECTS['socket.io'])).resolves.toBeUndefined()
})

it('says where nobody listens', async () => {
  const server = createTcpServer()
  const address = await listen(server)
  await new Promise((resolve) => server.close(resolve))
  await expect(checkServer(address, DIALECTS.plain)).rejects.toThrow('ECONNREFUSED')
})

it('says what a server has answered that has no WebSocket there', async () => {
  const notFound: RequestListener = (_, response) => response.writeHead(404).end()
  const http = createServer(notFound).on('upgrade', (_, socket) => socket.end('HTTP/1.1 404 Not Found\r\n\r\n'))
  await expect(checkServer(await listen(http), DIALECTS.plain)).rejects.toThrow('the handshake was answered with HTTP/1.1 404')
})

it('says that a server closes the connection instead of an answer', async () => {
  const address = await listen(createTcpServer((socket) => socket.destroy()))
  await expect(checkServer(address, DIALECTS.plain)).rejects.toThrow(/closed instead of an answer|ECONNRESET/u)
})

it('says that a server takes the connection and answers no handshake', async () => {
  const sockets: Socket[] = []
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
  })
  const address = await listen(createTcpServer((socket) => sockets.push(socket)))
  await expect(checkServer(address, DIALECTS.plain, SHORT_MS)).rejects.toThrow('the handshake is not answered')
})

it('says that a server does not greet as Socket.IO does', async () => {
  const { address, heard } = await silent()
  await expect(checkServer(address, DIALECTS['socket.io'], SHORT_MS)).rejects.toThrow('the handshake is not answered')
  expect(heard).toEqual(['40'])
})

it('says that a server closes the connection before it has greeted', async () => {
  const http = createServer().on('upgrade', (_, socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n', () => socket.end()),
  )
  await expect(checkServer(await listen(http), DIALECTS['socket.io'])).rejects.toThrow('closed before the client was greeted')
})

it('says that a server does not know the dialect', async () => {
  const { address, heard } = await silent()
  await expect(checkServer(address, DIALECTS.plain, SHORT_MS)).rejects.toThrow('a subscription is not confirmed')
  expect(heard).toEqual(['Sbench:check'])
})
