import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { isLocalRequest } from './local-request.ts'

describe('isLocalRequest', () => {
  const request = (remoteAddress: string | undefined, host: string | undefined) =>
    ({ socket: { remoteAddress }, headers: host === undefined ? {} : { host } }) as unknown as IncomingMessage

  it.each([
    ['127.0.0.1', 'localhost:8443'],
    ['127.1.2.3', '127.0.0.1'],
    ['::1', '[::1]:8443'],
    ['::ffff:127.0.0.1', 'demo.localhost'],
  ])('takes %s that asks for %s', (address, host) => expect(isLocalRequest(request(address, host))).toBe(true))

  it.each([
    ['192.168.0.2', 'localhost'],
    ['::ffff:10.0.0.1', 'localhost'],
    ['127.0.0.1', 'localhost.example.com'],
    ['127.0.0.1', '127.0.0.1.example.com'],
    ['127.0.0.1', '127.evil'],
    ['127.0.0.1', undefined],
    [undefined, 'localhost'],
  ])('leaves %s that asks for %s', (address, host) => expect(isLocalRequest(request(address, host))).toBe(false))

  it('leaves a request whose HTTP/2 session has gone', () => {
    const socket = {
      get remoteAddress(): string {
        throw new Error('ERR_HTTP2_SOCKET_UNBOUND')
      },
    }
    expect(isLocalRequest({ socket, headers: { host: 'localhost' } } as unknown as IncomingMessage)).toBe(false)
  })
})
