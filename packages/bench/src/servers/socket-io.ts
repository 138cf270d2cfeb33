/** Socket.IO 4 as it comes, or without a look at compression; rooms, and `emit` to them. */
import { Server } from 'socket.io'
import { createHttpServer, listen, settings } from './listen.js'

/** Longer than anything is measured, so that no heartbeat falls into it. */
const PING_INTERVAL_MS = 3_600_000

const http = createHttpServer()
const io = new Server(http, {
  serveClient: false,
  pingInterval: PING_INTERVAL_MS,
  ...(settings.deflate && { perMessageDeflate: { threshold: 0 } }),
})
io.on('connection', (socket) => {
  socket.on('subscribe', async (channels: string[]) => {
    await socket.join(channels)
    socket.emit('subscribed')
  })
  socket.on('publish', (channel: string, message: unknown) => {
    io.to(channel).emit('publication', message)
  })
  socket.on('echo', (text: string) => {
    socket.emit('echo', text)
  })
})
listen(http)
