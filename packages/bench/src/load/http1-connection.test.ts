import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { Http1Connection } from './http1-connection.ts'

it('tells the status once an answer is whole, however it is cut, and keeps the connection', async () => {
  const answer = (status: string) => `HTTP/1.1 ${status}\r\nContent-Length: 11\r\n\r\n{"a":"b c"}`
  const answers = [answer('200 OK'), answer('503 No')]
  const server = createServer((socket) => {
    socket.setNoDelay(true).on('data', async () => {
      for (const byte of answers.shift() ?? '') {
        socket.write(byte)
        await new Promise(setImmediate)
      }
    })
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const connection = await Http1Connection.open({ host: '127.0.0.1', port, isTls: false })
  onTestFinished(() => connection.destroy())
  expect(await connection.post('/', Buffer.from('{}'))).toBe(200)
  expect(await connection.post('/', Buffer.from('{}'))).toBe(503)
})

it('says that the connection was closed instead of an answer, also when asked once more', async () => {
  const server = createServer((socket) => socket.once('data', () => socket.destroy())).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const connection = await Http1Connection.open({ host: '127.0.0.1', port, isTls: false })
  for (const _ of ['first', 'second'])
    await expect(connection.post('/', Buffer.from('{}'))).rejects.toThrow('closed instead of an answer')
})
