import type { Http2Session } from 'node:http2'
import { describe, expect, it } from 'vitest'
import { FlushScheduler } from './flush-scheduler.ts'
import { StreamScheduler } from './stream-scheduler.ts'

/** Connections whose streams note when they are flushed, over a scheduler whose turns end when told. */
const setUp = () => {
  const deferred: (() => void)[] = []
  const streams = new StreamScheduler(new FlushScheduler((run) => deferred.push(run)))
  let flushed: string[] = []
  return {
    streams,
    isTurnWanted: () => deferred.length > 0,
    connection: (name: string) => {
      const session = {} as Http2Session
      return (stream: number) => streams.queueOf(session).add({ flush: () => flushed.push(`${name}${stream}`) })
    },
    /** What the turn has flushed. */
    endTurn: (): readonly string[] => {
      flushed = []
      for (const run of deferred.splice(0)) run()
      return flushed
    },
  }
}

describe('StreamScheduler', () => {
  it('flushes a connection that is alone, and wants no turn when nothing waits', () => {
    const { connection, isTurnWanted, endTurn } = setUp()
    const a = connection('a')
    expect(isTurnWanted()).toBe(false)
    a(1)
    expect(endTurn()).toEqual(['a1'])
    expect(isTurnWanted()).toBe(false)
    a(2)
    expect(endTurn()).toEqual(['a2'])
  })

  it('leaves what comes over no connection of HTTP/2 to the scheduler', () => {
    const { streams, endTurn } = setUp()
    let flushed = 0
    for (let other = 0; other < 100; other++) streams.queueOf(undefined).add({ flush: () => flushed++ })
    endTurn()
    expect(flushed).toBe(100)
  })

  it('flushes the streams of a connection one after the other, however they have come', () => {
    const { connection, endTurn } = setUp()
    const [a, b] = [connection('a'), connection('b')]
    a(1)
    b(1)
    a(2)
    b(2)
    expect(endTurn()).toEqual(['a1', 'a2', 'b1', 'b2'])
    expect(endTurn()).toEqual([])
  })

  it('flushes whole connections, and no more of them in a turn than have 64 streams', () => {
    const { connection, endTurn } = setUp()
    const all = ['a', 'b', 'c', 'd'].map(connection)
    for (let stream = 0; stream < 40; stream++) for (const add of all) add(stream)
    const turns = [endTurn(), endTurn(), endTurn()]
    expect(turns.map((flushed) => [...new Set(flushed.map((name) => name.charAt(0)))])).toEqual([['a', 'b'], ['c', 'd'], []])
    expect(turns.map(({ length }) => length)).toEqual([80, 80, 0])
  })

  it('has flushed everything after 32 turns', () => {
    const { connection, endTurn } = setUp()
    for (let n = 0; n < 40; n++) for (let stream = 0; stream < 64; stream++) connection(`${n}.`)(stream)
    const all = connection('last')
    for (let stream = 0; stream < 10_000; stream++) all(stream)
    const lengths = Array.from({ length: 33 }, () => endTurn().length)
    expect(lengths).toEqual([...Array.from({ length: 31 }, () => 64), 40 * 64 + 10_000 - 31 * 64, 0])
  })

  it('counts its turns anew once everything has been flushed', () => {
    const { connection, endTurn } = setUp()
    for (let turn = 0; turn < 40; turn++) {
      connection('a')(turn)
      expect(endTurn()).toHaveLength(1)
    }
    for (const add of ['b', 'c'].map(connection)) for (let stream = 0; stream < 64; stream++) add(stream)
    expect([endTurn().length, endTurn().length]).toEqual([64, 64])
  })

  it('lets a connection that comes meanwhile wait for those before it', () => {
    const { connection, endTurn } = setUp()
    const [a, b, c] = [connection('a'), connection('b'), connection('c')]
    for (let stream = 0; stream < 64; stream++) a(stream)
    b(1)
    expect(endTurn()).toHaveLength(64)
    c(1)
    a(1)
    b(2)
    expect(endTurn()).toEqual(['b1', 'b2', 'c1', 'a1'])
  })
})
