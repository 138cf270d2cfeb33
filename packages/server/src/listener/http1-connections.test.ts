import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Http1Connections } from './http1-connections.ts'

class FakeSocket extends EventEmitter {
  bytesRead = 0
  fate: 'open' | 'destroyed' | 'ended' = 'open'

  destroy(): void {
    this.fate = 'destroyed'
  }

  destroySoon(): void {
    if (this.fate === 'open') this.fate = 'ended'
  }
}

class FakeResponse extends EventEmitter {
  headersSent = false
  readonly headers: Record<string, string> = {}

  setHeader(name: string, value: string): void {
    this.headers[name] = value
  }
}

let connections: Http1Connections
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
  connections = new Http1Connections()
})
afterEach(() => {
  vi.useRealTimers()
})

const open = (): FakeSocket => {
  const socket = new FakeSocket()
  connections.add(socket as unknown as Socket)
  return socket
}

const ask = (socket: FakeSocket): FakeResponse => {
  const response = new FakeResponse()
  socket.bytesRead += 100
  connections.answer(socket as unknown as Socket, response as unknown as ServerResponse)
  return response
}

describe('the connections of HTTP/1.1', () => {
  it('in reserve are dropped; those that were used, or have only just been opened, are kept', () => {
    const [spare, used] = [open(), open()]
    ask(used).emit('close')
    vi.advanceTimersByTime(2000)
    const fresh = open()
    connections.dropSpares()
    expect([spare.fate, used.fate, fresh.fate]).toEqual(['destroyed', 'open', 'open'])
  })

  it('are ended when they are idle, and the others as they become so', () => {
    const [silent, idle, busy, sending, websocket] = [open(), open(), open(), open(), open()]
    silent.bytesRead = 500
    ask(idle).emit('close')
    ask(sending).emit('close')
    sending.bytesRead += 5
    connections.remove(websocket as unknown as Socket)
    const [first, second] = [ask(busy), ask(busy)]
    second.headersSent = true
    connections.leave()
    connections.leave()
    expect([silent, idle, busy, sending, websocket].map(({ fate }) => fate)).toEqual([
      'destroyed',
      'destroyed',
      'open',
      'open',
      'open',
    ])
    expect([first.headers, second.headers]).toEqual([{ connection: 'close' }, {}])
    first.emit('close')
    expect(busy.fate).toBe('open')
    second.emit('close')
    expect(busy.fate).toBe('ended')
    const last = ask(sending)
    expect(last.headers).toEqual({ connection: 'close' })
    last.emit('close')
    expect(sending.fate).toBe('ended')
  })
})
