import { TestAuthority } from '../../tls/testing/certificate-authority.ts'
import { Listener } from '../listener.ts'
import type { ListenerHandlers } from '../listener-handlers.ts'
import type { ListenerLimits } from '../listener-limits.ts'

export interface StartedListener {
  readonly listener: Listener
  readonly tlsPort: number
  readonly port: number
  /** Names and details of what was logged. */
  readonly events: { readonly event: string; readonly details: Readonly<Record<string, unknown>> }[]
}

let certificate: Promise<{ readonly cert: string; readonly key: string }> | undefined

/** A listener on loopback with both ports; by default it answers requests with the HTTP version and the length of their body. */
export const startListener = async (
  handlers: Partial<ListenerHandlers> = {},
  limits: Partial<ListenerLimits> = {},
): Promise<StartedListener> => {
  certificate ??= TestAuthority.create().then((authority) => authority.issue())
  const pair = await certificate
  const events: StartedListener['events'] = []
  const listener = new Listener({
    handlers: { request: answerRequest, ...handlers },
    tls: { serverOptions: (alpn) => ({ ...pair, ALPNProtocols: [...alpn] }) },
    limits,
    log: (event, details) => events.push({ event, details }),
  })
  const [tls, cleartext] = await Promise.all([
    listener.listenTls({ host: '127.0.0.1', port: 0 }),
    listener.listenCleartext({ host: '127.0.0.1', port: 0 }),
  ])
  return { listener, events, tlsPort: tls.port, port: cleartext.port }
}

const answerRequest: ListenerHandlers['request'] = (request, response) => {
  let length = 0
  request.on('data', (chunk: Buffer) => {
    length += chunk.length
  })
  request.on('end', () => {
    response.setHeader('content-type', 'text/plain')
    response.end(`HTTP/${request.httpVersion} ${request.method} ${length}`)
  })
}
