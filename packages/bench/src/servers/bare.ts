/** The floor: what the kernel and `socket.write` allow when nothing else is done. Any message of the publisher goes to all others. */
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const clients = new Set<Duplex>()

/** The server's text frame of a client's small text frame with a mask of zeros. */
const reframe = (payload: Buffer): Buffer => {
  const header =
    payload.length < 126
      ? Buffer.from([0x81, payload.length])
      : Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([header, payload])
}

const server = createServer().on('upgrade', (request, socket) => {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  clients.add(socket)
  socket.on('error', () => socket.destroy()).on('close', () => clients.delete(socket))
  let pending: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    clients.delete(socket)
    pending = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk
    for (;;) {
      const short = (pending[1] ?? 0) & 0x7f
      const start = short < 126 ? 6 : 8
      if (pending.length < start) return
      const length = short < 126 ? short : pending.readUInt16BE(2)
      if (pending.length < start + length) return
      const frame = reframe(pending.subarray(start, start + length))
      pending = pending.subarray(start + length)
      for (const client of clients) client.write(frame)
    }
  })
})
server.listen(0, '127.0.0.1', () => console.log(`port=${(server.address() as AddressInfo).port}`))
