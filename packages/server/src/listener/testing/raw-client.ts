import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'

/** Connects without TLS. */
export const openTcp = async (port: number): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  await once(socket, 'connect')
  return socket
}

/** Connects with TLS, offering these protocols by ALPN; none when left out. */
export const openTls = async (port: number, alpn?: readonly string[]): Promise<Socket> => {
  const options = { port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false, allowHalfOpen: true }
  const socket = connectTls(alpn ? { ...options, ALPNProtocols: [...alpn] } : options)
  await once(socket, 'secureConnect')
  return socket
}

/** Collects what comes until the other side has ended, failed, or sent enough. */
export const readAll = (socket: Socket, isEnough: (text: string) => boolean = () => false): Promise<string> =>
  new Promise((resolve) => {
    let text = ''
    const done = (): void => resolve(text)
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (isEnough(text)) done()
    })
    socket.on('end', done)
    socket.on('close', done)
    socket.on('error', done)
  })

/** Writes bytes one by one, each in a turn of its own. */
export const writeByteByByte = async (socket: Socket, bytes: string | Uint8Array): Promise<void> => {
  for (const byte of Buffer.from(bytes as Uint8Array)) {
    socket.write(Uint8Array.of(byte))
    await turn()
  }
}
