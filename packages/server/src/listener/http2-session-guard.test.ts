import { EventEmitter } from 'node:events'
import { constants, type Http2Session, type Http2Stream } from 'node:http2'
import { describe, expect, it } from 'vitest'
import { Http2SessionGuard } from './http2-session-guard.ts'

/** As much of a session as the guard uses; says what was done to it. */
class FakeSession extends EventEmitter {
  readonly destroyed = false
  readonly socket = { destroyed: false }
  readonly done: unknown[] = []
  answer = (): void => {}

  close(): void {
    this.done.push('close')
  }

  goaway(code: number): void {
    this.done.push(code)
  }

  destroy(): void {}

  ping(answered: () => void): boolean {
    this.done.push('ping')
    this.answer = answered
    return true
  }
}

const SECOND = 1000
const watch = () => {
  const session = new FakeSession()
  const faults: string[] = []
  const limits = { handshakeTimeoutMs: 10 * SECOND, http2MaxResets: 200, http2MaxSettings: 3, http2MaxPings: 5 }
  const guard = new Http2SessionGuard(session as unknown as Http2Session, limits, (fault) => faults.push(fault))
  const begun = performance.now()
  return {
    session,
    faults,
    guard,
    open: () => {
      const stream = new EventEmitter()
      guard.opened(stream as Http2Stream)
      return stream
    },
    sweepAfter: (ms: number) => guard.sweep(begun + ms),
  }
}

describe('Http2SessionGuard', () => {
  it('ends a session that does not send its settings in time', () => {
    const { session, faults, sweepAfter } = watch()
    sweepAfter(9 * SECOND)
    expect(session.done).toEqual([])
    sweepAfter(11 * SECOND)
    expect(session.done).toEqual([constants.NGHTTP2_NO_ERROR])
    expect(faults).toEqual(['http2_handshake_timeout'])
  })

  it('asks a session without streams to go when it has been idle for two minutes', () => {
    const { session, faults, open, sweepAfter } = watch()
    session.emit('remoteSettings')
    sweepAfter(119 * SECOND)
    const stream = open()
    sweepAfter(121 * SECOND)
    expect(session.done).not.toContain('close')
    stream.emit('close')
    sweepAfter(119 * SECOND)
    expect(session.done).not.toContain('close')
    sweepAfter(121 * SECOND)
    expect(session.done).toContain('close')
    expect(faults).toEqual([])
  })

  it('pings a session with streams, and leaves it alone while it answers', () => {
    const { session, faults, open, sweepAfter } = watch()
    session.emit('remoteSettings')
    open()
    for (const second of [31, 35, 62, 66]) {
      sweepAfter(second * SECOND)
      session.answer()
    }
    expect(session.done).toEqual(['ping', 'ping'])
    expect(faults).toEqual([])
  })

  it('ends a session that does not answer a ping', () => {
    const { session, faults, guard, open, sweepAfter } = watch()
    session.emit('remoteSettings')
    open()
    sweepAfter(31 * SECOND)
    sweepAfter(60 * SECOND)
    expect(faults).toEqual([])
    sweepAfter(62 * SECOND)
    expect(session.done).toEqual(['ping', constants.NGHTTP2_NO_ERROR])
    expect(faults).toEqual(['http2_ping_timeout'])
    expect(guard.ended).toBe(true)
  })
})
