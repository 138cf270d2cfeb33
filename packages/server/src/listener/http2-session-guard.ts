import { constants, type Http2Session, type Http2Stream } from 'node:http2'
import { EventWindow } from './event-window.ts'

/** What a client may do without end is counted over this time. */
const WINDOW_MS = 10_000
/** A session without streams is told to go after this time. */
const IDLE_MS = 120_000
/** A session with streams is asked for a sign of life this often, and has as long to answer. */
const PING_INTERVAL_MS = 30_000

export interface SessionLimits {
  /** Time between the connection and the client's SETTINGS. */
  readonly handshakeTimeoutMs: number
  /** Streams that may be aborted within ten seconds. */
  readonly http2MaxResets: number
  /** SETTINGS frames that may come within ten seconds; each has to be acknowledged. */
  readonly http2MaxSettings: number
  /** PING frames that may come within ten seconds; each has to be answered. */
  readonly http2MaxPings: number
}

/** Why a session is ended from this side. */
export type SessionFault = 'http2_resets' | 'http2_settings' | 'http2_pings' | 'http2_handshake_timeout' | 'http2_ping_timeout'

/**
 * Watches one HTTP/2 session for what HTTP/2 itself lets a client do without end: open and abort streams (CVE-2023-44487), send
 * SETTINGS and PING frames (CVE-2019-9515, CVE-2019-9512), say nothing, stay without use, or be gone behind a proxy that still acknowledges its TCP segments.
 */
export class Http2SessionGuard {
  readonly #session: Http2Session
  readonly #limits: SessionLimits
  readonly #report: (fault: SessionFault) => void
  readonly #resets: EventWindow
  readonly #settings: EventWindow
  readonly #pings: EventWindow
  #greeted = false
  #streams = 0
  /** When the last stream ended, or the session began. */
  #usedAt: number
  #pingedAt: number
  #pingPending = false
  #ended = false

  constructor(session: Http2Session, limits: SessionLimits, report: (fault: SessionFault) => void) {
    this.#session = session
    this.#limits = limits
    this.#report = report
    this.#resets = new EventWindow(limits.http2MaxResets, WINDOW_MS)
    this.#settings = new EventWindow(limits.http2MaxSettings, WINDOW_MS)
    this.#pings = new EventWindow(limits.http2MaxPings, WINDOW_MS)
    this.#usedAt = this.#pingedAt = performance.now()
    session.on('remoteSettings', () => {
      this.#greeted = true
      this.#count(this.#settings, 'http2_settings')
    })
    session.on('ping', () => this.#count(this.#pings, 'http2_pings'))
  }

  /** True when the session was ended for a fault that has been reported. */
  get ended(): boolean {
    return this.#ended
  }

  opened(stream: Http2Stream): void {
    this.#streams++
    stream.on('close', this.#onClose)
    // A stream that was opened and reset within one read of the socket is aborted before anyone hears of it.
    if (stream.aborted) this.#onAborted()
    else stream.on('aborted', this.#onAborted)
  }

  /** To be called every few seconds. */
  sweep(now: number): void {
    if (!this.#greeted) {
      if (now - this.#usedAt >= this.#limits.handshakeTimeoutMs) this.#end('http2_handshake_timeout', constants.NGHTTP2_NO_ERROR)
    } else if (this.#streams === 0) {
      if (now - this.#usedAt >= IDLE_MS) this.#session.close()
    } else if (now - this.#pingedAt >= PING_INTERVAL_MS) {
      if (this.#pingPending) this.#end('http2_ping_timeout', constants.NGHTTP2_NO_ERROR)
      else this.#ping(now)
    }
  }

  #ping(now: number): void {
    this.#pingedAt = now
    this.#pingPending = this.#session.ping(this.#onPong)
  }

  readonly #onPong = (): void => {
    this.#pingPending = false
  }

  readonly #onClose = (): void => {
    this.#streams--
    this.#usedAt = performance.now()
  }

  readonly #onAborted = (): void => {
    // The end of the whole connection aborts its streams too.
    if (!this.#session.destroyed && !this.#session.socket.destroyed) this.#count(this.#resets, 'http2_resets')
  }

  #count(window: EventWindow, fault: SessionFault): void {
    if (!this.#ended && window.exceeds(performance.now())) this.#end(fault, constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }

  #end(fault: SessionFault, code: number): void {
    this.#ended = true
    this.#report(fault)
    this.#session.goaway(code)
    // A turn later, because Node 22 would destroy the socket under the GOAWAY. With an error, because without one Node takes the
    // default of that, a code of its own, for ours.
    setImmediate(() => this.#session.destroy(new Error(fault), code))
  }
}
