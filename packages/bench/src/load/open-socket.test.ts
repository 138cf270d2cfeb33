import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { eventually } from '@fusewire/testkit'
import { expect, it, onTestFinished } from 'vitest'
import { openSocket } from './open-socket.ts'

it('reads plain sockets into one buffer, in order and to their end', async () => {
  // Some MB to each, so that it comes in many reads.
  const sent = Array.from({ length: 100_000 }, (_, line) => `line ${line} of what a client is sent\n`).join('')
  const server = createServer((socket) => void socket.end(sent)).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const memory = new Set<ArrayBufferLike>()
  const clients = await Promise.all(
    Array.from({ length: 3 }, async () => {
      const client = { text: '', isEnded: false }
      const onBytes = (bytes: Buffer): void => {
        memory.add(bytes.buffer)
        client.text += bytes.toString('latin1')
      }
      const socket = await openSocket({ host: '127.0.0.1', port, isTls: false }, { onBytes })
      onTestFinished(() => void socket.destroy())
      socket.on('end', () => {
        client.isEnded = true
      })
      return client
    }),
  )
  await eventually(() => expect(clients.every(({ isEnded }) => isEnded)).toBe(true))
  for (const { text } of clients) expect(text === sent).toBe(true)
  expect(memory.size).toBe(1)
})
