import { onTestFinished } from 'vitest'
import { type StartedListener, startListener } from '../../listener/testing/start-listener.ts'
import { createTcpTransport } from '../tcp/tcp-transport.ts'
import type { TransportLimits } from '../transport-context.ts'
import { createWebSocketTransport, type WebSocketOptions, type WebSocketTransport } from '../websocket/websocket-transport.ts'
import { createTestContext, type TestContext } from './test-context.ts'

export interface StartedSockets extends StartedListener {
  readonly context: TestContext
  readonly webSockets: WebSocketTransport
}

/** The socket transports on loopback, around an engine that records. */
export const startSockets = async (
  limits: Partial<TransportLimits> = {},
  options: WebSocketOptions = {},
): Promise<StartedSockets> => {
  const context = createTestContext(limits)
  const webSockets = createWebSocketTransport(context, options)
  const started = await startListener({
    upgrade: (request, socket, head) => webSockets.upgrade(request, socket, head),
    connectStream: (stream, headers) => webSockets.connectStream(stream, headers),
    rawTcp: createTcpTransport(context, { halfClosedMs: 50, closeTimeoutMs: 200 }),
  })
  return { ...started, context, webSockets }
}

/** The same for one test, which closes them at its end. */
export const startTestSockets = async (...options: Parameters<typeof startSockets>): Promise<StartedSockets> => {
  const started = await startSockets(...options)
  onTestFinished(() => started.listener.close())
  return started
}
