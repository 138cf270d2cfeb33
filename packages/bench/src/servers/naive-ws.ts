/** What most people write first: the ws package, and `send` for each client. Any message of the publisher goes to all others. */
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
const publishers = new WeakSet<object>()

server.on('connection', (socket) => {
  socket.on('message', (data) => {
    publishers.add(socket)
    const text = data.toString()
    for (const client of server.clients) if (!publishers.has(client)) client.send(text)
  })
})
server.on('listening', () => console.log(`port=${(server.address() as AddressInfo).port}`))
