import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import { createSecureServer as createHttp2SecureServer, type Http2SecureServer } from 'node:http2'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Server as NetServer } from 'node:net'
import { parseArgs } from 'node:util'

/** How a peer is started: `--tls FILE` has certificate and key in one, without it there is no TLS. */
export const { values: settings } = parseArgs({
  options: {
    tls: { type: 'string' },
    /** Serves HTTP/2 too; needs `--tls`. */
    http2: { type: 'boolean', default: false },
    /** Joins what is published in one chunk of bytes into one write for each client. */
    joined: { type: 'boolean', default: false },
    /** Makes a frame once for all clients of the ws package. */
    ready: { type: 'boolean', default: false },
    /** Turns permessage-deflate on, for messages of any size. */
    deflate: { type: 'boolean', default: false },
  },
})

/** An HTTP/1.1 server, with TLS or without, as the settings say. */
export const createHttpServer = (): Server => {
  if (settings.tls === undefined) return createServer()
  const pair = readFileSync(settings.tls)
  return createSecureServer({ cert: pair, key: pair })
}

/** An HTTP/2 server over TLS, which takes extended CONNECT, and HTTP/1.1 too. */
export const createHttp2Server = (): Http2SecureServer => {
  const pair = readFileSync(settings.tls ?? '')
  return createHttp2SecureServer({ cert: pair, key: pair, allowHTTP1: true, settings: { enableConnectProtocol: true } })
}

/** Listens on a free port of this machine, and prints which one. */
export const listen = (server: NetServer): void => {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 8192 }, () =>
    console.log(`port=${(server.address() as AddressInfo).port}`),
  )
}
