import type { Socket } from 'node:net'
import { FusewireError } from '@fusewire/protocol'
import { type Dialect, recognise } from './first-bytes.ts'
import { refuse } from './refuse.ts'

const NOTHING: Buffer = Buffer.alloc(0)

/**
 * Waits until a cleartext client has said what it speaks, and gives the socket on with the bytes that have come, in the event that has
 * brought the last of them: the socket flows, and nobody listens. A client that does not say it in time, or leaves before, is refused
 * here: in silence when it sent nothing, by HTTP/1.1 when it sent a part.
 */
export const readFirstBytes = (
  socket: Socket,
  timeoutMs: number,
  handOver: (socket: Socket, dialect: Dialect, bytes: Buffer) => void,
): void => {
  let seen = NOTHING

  const done = (): void => {
    clearTimeout(deadline)
    socket.off('data', read)
    socket.off('end', leave)
    socket.off('close', done)
  }
  const read = (chunk: Buffer): void => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk])
    const dialect = recognise(seen)
    if (!dialect) return
    done()
    handOver(socket, dialect, seen)
  }
  const giveUp = (code: 'malformed_request' | 'request_timeout'): void => {
    done()
    if (seen.length === 0) socket.destroy()
    else refuse(socket, new FusewireError(code))
  }
  const leave = (): void => giveUp('malformed_request')

  const deadline = setTimeout(giveUp, timeoutMs, 'request_timeout')
  // Not "readable", whose listeners cost a connection as much as the whole rest of telling what it speaks.
  socket.on('data', read)
  socket.on('end', leave)
  socket.on('close', done)
}
