import { createServer, type IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'
import type { FusewireError } from '@fusewire/protocol'
import { describe, expect, it } from 'vitest'
import { settleTarget } from './http1-target.ts'

interface Settled {
  readonly fault: FusewireError | undefined
  readonly url: string | undefined
  readonly host: string | undefined
}

/** What becomes of a request, once Node's parser has read it. */
const settle = (target: string, hosts: readonly string[], version = '1.1'): Promise<Settled> =>
  new Promise((resolve, reject) => {
    const server = createServer({ requireHostHeader: false }, (request: IncomingMessage) => {
      const fault = settleTarget(request)
      resolve({ fault, url: request.url, host: request.headers.host })
      socket.destroy()
    })
    server.on('clientError', reject)
    const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
    server.emit('connection', socket)
    socket.push(
      `GET ${target} HTTP/${version}\r\n${hosts.map((host) => `Host: ${host}\r\n`).join('')}X-Any: b\r\nDate: c\r\n\r\n`,
    )
  })

describe('settleTarget', () => {
  it.each(['a', 'a:1', 'a.b-c_d:65535', '127.0.0.1:80', '[::1]', '[::1]:80', 'xn--a', 'a%20b', ''])(
    'leaves a path and its host %s',
    async (host) => {
      expect(await settle('/p?q=http://b', [host])).toEqual({ fault: undefined, url: '/p?q=http://b', host })
    },
  )

  it('leaves the target that is no path, an asterisk', async () => {
    expect(await settle('*', ['a'])).toEqual({ fault: undefined, url: '*', host: 'a' })
  })

  it.each([
    ['http://b/p?q', '/p?q', 'b'],
    ['HTTPS://b:8000/', '/', 'b:8000'],
    ['http://[::1]:80/p', '/p', '[::1]:80'],
    ['http://b', '/', 'b'],
    ['http://b?q', '/?q', 'b'],
    ['ws://b/fusewire/v1/ws', '/fusewire/v1/ws', 'b'],
  ])('reads %s, whatever the Host says', async (target, url, host) => {
    expect(await settle(target, ['a'])).toEqual({ fault: undefined, url, host })
    expect(await settle(target, [], '1.0')).toEqual({ fault: undefined, url, host })
  })

  it.each([
    ['no host', '/', []],
    ['no host beside a target that has one', 'http://a/', []],
    ['two hosts', '/', ['a', 'b']],
    ['the same host twice', '/', ['a', 'a']],
    ['a host with a blank', '/', ['a b']],
    ['a host with a path', '/', ['a/b']],
    ['a host with a user', '/', ['a@b']],
    ['a target with a user', 'http://a@b/', ['b']],
    ['a port that is none', '/', ['a:b']],
    ['a fragment', 'http://a/#b', ['a']],
    ['another protocol', 'ftp://a/', ['a']],
  ])('finds fault with %s', async (_what, target, hosts) => {
    expect((await settle(target, hosts)).fault).toMatchObject({ code: 'malformed_request' })
  })

  it('lets HTTP/1.0 go without a host, and not with two', async () => {
    expect((await settle('/', [], '1.0')).fault).toBeUndefined()
    expect((await settle('/', ['a', 'a'], '1.0')).fault).toMatchObject({ code: 'malformed_request' })
  })
})
