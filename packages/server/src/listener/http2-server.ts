import { createServer, type Http2Server as NodeServer, type ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { type Log, RenewingMap } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import type { Refusals, ServerLimitName } from '../refusals.ts'
import { Http2SessionGuard, type SessionFault } from './http2-session-guard.ts'
import type { ListenerHandlers } from './listener-handlers.ts'
import type { ListenerLimits } from './listener-limits.ts'
import { refuseStream } from './refuse.ts'

const SWEEP_INTERVAL_MS = 5000
/** nghttp2's own limit on all resets (RST_STREAM of finished streams too); ours is stricter, and logged. */
const RESETS = { burst: 1000, perSecond: 33 }

/** The faults that are a matter of measure. */
const LIMIT_OF: Partial<Record<SessionFault, ServerLimitName>> = {
  http2_resets: 'http2MaxResets',
  http2_settings: 'http2MaxSettings',
  http2_pings: 'http2MaxPings',
  http2_handshake_timeout: 'handshakeTimeoutMs',
}

/** The HTTP/2 side of a listener: serves sockets that it is given, and never listens itself. */
export class Http2Server {
  readonly #server: NodeServer
  readonly #limits: ListenerLimits
  readonly #refusals: Refusals
  readonly #log: Log
  readonly #sessions = new RenewingMap<ServerHttp2Session, Http2SessionGuard>()
  readonly #sweepTimer: NodeJS.Timeout
  #draining = false

  constructor(handlers: ListenerHandlers, limits: ListenerLimits, refusals: Refusals, log: Log) {
    this.#limits = limits
    this.#refusals = refusals
    this.#log = log
    const { http2MaxConcurrentStreams, http2MaxResets, maxBufferedBytes, maxHeaderBytes } = limits
    this.#server = createServer({
      settings: {
        enableConnectProtocol: handlers.connectStream !== undefined,
        maxConcurrentStreams: http2MaxConcurrentStreams,
        maxHeaderListSize: maxHeaderBytes,
      },
      maxSessionInvalidFrames: 100,
      maxSessionRejectedStreams: 100,
      // In megabytes. Past it Node refuses new streams, so it must hold what all streams together may keep waiting.
      maxSessionMemory: Math.max(10, Math.ceil((http2MaxConcurrentStreams * maxBufferedBytes) / 1e6)),
      streamResetBurst: Math.max(RESETS.burst, 2 * http2MaxResets),
      streamResetRate: Math.max(RESETS.perSecond, Math.ceil(http2MaxResets / 5)),
    })
    this.#server.on('request', (request, response) => handlers.request(request, response))
    // Without this listener Node answers every CONNECT with 405, extended or not, because there is one for 'request'.
    this.#server.on('connect', (request) => {
      const { stream, headers } = request
      const protocol = headers[':protocol']
      if (handlers.connectStream && protocol === 'websocket') handlers.connectStream(stream, headers)
      else refuseStream(stream, new FusewireError(protocol === undefined ? 'method_not_allowed' : 'unsupported_transport'))
    })
    this.#server.on('session', (session) => this.#watch(session))
    this.#server.on('sessionError', (error: Error, session: ServerHttp2Session) => {
      if (!this.#sessions.get(session)?.ended) log('http2_session_error', { error: error.message })
    })
    this.#sweepTimer = setInterval(() => this.#sweep(), Math.min(SWEEP_INTERVAL_MS, limits.handshakeTimeoutMs))
    this.#sweepTimer.unref()
  }

  accept(socket: Socket): void {
    // An HTTP/2 connection is over when either side ends it.
    socket.allowHalfOpen = false
    this.#server.emit('connection', socket)
  }

  /** Tells every client to open no more streams (GOAWAY); a session ends with its last stream. */
  drain(): void {
    this.#draining = true
    for (const session of this.#sessions.keys()) session.close()
  }

  close(): void {
    clearInterval(this.#sweepTimer)
    for (const session of this.#sessions.keys()) session.destroy()
  }

  #watch(session: ServerHttp2Session): void {
    const remoteAddress = session.socket.remoteAddress
    const guard = new Http2SessionGuard(session, this.#limits, (fault) => {
      this.#log(fault, { remoteAddress })
      const limit = LIMIT_OF[fault]
      if (limit) this.#refusals.count(limit)
    })
    this.#sessions.set(session, guard)
    session.on('stream', (stream) => guard.opened(stream))
    session.on('close', () => this.#sessions.delete(session))
    if (this.#draining) session.close()
  }

  #sweep(): void {
    const now = performance.now()
    for (const guard of this.#sessions.values()) guard.sweep(now)
  }
}
