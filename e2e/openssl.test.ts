import { eventually } from '@fusewire/testkit'
import { describe, expect } from 'vitest'
import type { FusewireProcess } from './fusewire-process.ts'
import { Program } from './program.ts'
import { serverTest } from './server-test.ts'
import { DEVELOPMENT } from './server-variants.ts'
import { hasTool } from './tools.ts'

const it = serverTest(DEVELOPMENT)

const start = ({ httpsPort, certificateFile }: FusewireProcess, ...args: string[]): Program =>
  new Program('openssl', [
    ...['s_client', '-connect', `localhost:${httpsPort}`, '-servername', 'localhost'],
    ...['-CAfile', certificateFile, '-verify_return_error', '-verify_hostname', 'localhost', ...args],
  ])

const messages = (openssl: Program): unknown[] => openssl.lines.map((line) => JSON.parse(line))

describe.skipIf(!hasTool('openssl'))('openssl s_client', () => {
  it('hears the echo of its first line', async ({ server }) => {
    const openssl = start(server, '-quiet', '-alpn', 'fusewire/1')
    openssl.write('{"type":"echo","data":"hello"}\n')
    await openssl.until(/^\{"type":"echo","data":"hello"\}$/mu)
  })

  it('speaks newline-delimited JSON over ALPN fusewire/1 [T16]', async ({ server, api }) => {
    const openssl = start(server, '-quiet', '-alpn', 'fusewire/1')
    openssl.write('{"type":"connect","id":1,"name":"a device","subscriptions":[{"channel":"openssl","id":2}]}\r\n')
    await openssl.until(/"subscribed"/u)
    await api.publish('openssl', 'from the API')
    openssl.write('\n{"type":"publish","id":3,"channel":"openssl","data":{"temperature":21.5}}\n')
    await openssl.until(/"result"/u)
    openssl.write('{"type":"disconnect"}\n')
    expect(await openssl.exit()).toBe(0)
    expect(messages(openssl)).toMatchObject([
      { type: 'connected', id: 1 },
      { type: 'subscribed', id: 2, channel: 'openssl' },
      { type: 'publication', offset: 1, data: 'from the API' },
      { type: 'publication', offset: 2, data: { temperature: 21.5 } },
      { type: 'result', id: 3, data: { position: { offset: 2 } } },
    ])
  })

  it('agrees on TLS 1.3 and on TLS 1.2, with forward secrecy', async ({ server }) => {
    for (const version of ['1_3', '1_2']) {
      const openssl = start(server, `-tls${version}`, '-alpn', 'fusewire/1')
      await openssl.until(/ALPN protocol: fusewire\/1/u)
      await openssl.until(/(Protocol *: |New, )TLSv1\.[23]/u)
      expect(openssl.out).toMatch(/Cipher is (TLS_|ECDHE-)[\w-]*(GCM|CHACHA20)/u)
      expect(openssl.out).toMatch(/Verify return code: 0 \(ok\)/u)
      await openssl.kill()
    }
  })

  it('is refused with an alert when it offers what nobody speaks', async ({ server }) => {
    const openssl = start(server, '-quiet', '-alpn', 'mqtt')
    expect(await openssl.exit()).not.toBe(0)
    await eventually(() => expect(openssl.err).toMatch(/no application protocol/iu))
  })
})
