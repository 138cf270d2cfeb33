import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FlushScheduler } from './flush-scheduler.ts'
import { Outbox, type Sink } from './outbox.ts'

/** A sink that keeps what it is given, and is full when told. */
class FakeSink implements Sink {
  readonly writes: Uint8Array[] = []
  hasRoom = true
  overflows = 0

  write(bytes: Uint8Array): boolean {
    this.writes.push(bytes)
    return this.hasRoom
  }

  overflow(): void {
    this.overflows++
  }

  get text(): string {
    return Buffer.concat(this.writes).toString()
  }
}

const setUp = (maxBufferedBytes = 10, connections = 1) => {
  const deferred: (() => void)[] = []
  const scheduler = new FlushScheduler((run) => deferred.push(run))
  const sinks = Array.from({ length: connections }, () => new FakeSink())
  const outboxes = sinks.map((sink) => new Outbox(scheduler, sink, maxBufferedBytes))
  const [sink, outbox] = [sinks[0] ?? new FakeSink(), outboxes[0] ?? new Outbox(scheduler, new FakeSink(), 0)]
  return {
    sinks,
    outboxes,
    sink,
    outbox,
    endTurn: () => {
      for (const run of deferred.splice(0)) run()
    },
  }
}

const frame = (text: string): Uint8Array => Buffer.from(text)

describe('Outbox', () => {
  it('writes what one turn pushes at once, when the turn ends', () => {
    const { sink, outbox, endTurn } = setUp()
    outbox.push(frame('a'))
    outbox.push(frame('b'))
    expect(sink.writes).toHaveLength(0)
    endTurn()
    expect(sink.writes).toHaveLength(1)
    expect(sink.text).toBe('ab')
    endTurn()
    expect(sink.writes).toHaveLength(1)
  })

  it('shares joined bytes between connections that were sent the same frames', () => {
    const { sinks, outboxes, endTurn } = setUp(10, 3)
    for (const sent of [frame('a'), frame('b')]) for (const outbox of outboxes) outbox.push(sent)
    endTurn()
    expect(new Set(sinks.map((sink) => sink.writes[0])).size).toBe(1)
  })

  it('holds frames while the sink is full, and writes them when it has drained', () => {
    const { sink, outbox, endTurn } = setUp()
    sink.hasRoom = false
    outbox.push(frame('a'))
    endTurn()
    outbox.push(frame('b'))
    endTurn()
    outbox.push(frame('c'))
    expect(sink.text).toBe('a')
    sink.hasRoom = true
    outbox.drained()
    expect(sink.writes).toHaveLength(2)
    expect(sink.text).toBe('abc')
  })

  it('overflows once when more than the limit waits for a full sink, and then takes no more', () => {
    const { sink, outbox, endTurn } = setUp(3)
    sink.hasRoom = false
    outbox.push(frame('a'))
    endTurn()
    outbox.push(frame('bcd'))
    expect(sink.overflows).toBe(0)
    outbox.push(frame('e'))
    outbox.push(frame('f'))
    expect(sink.overflows).toBe(1)
    outbox.drained()
    outbox.end()
    endTurn()
    expect(sink.text).toBe('a')
  })

  it('lets through more than the limit in one turn when the sink has room, as a recovery needs', () => {
    const { sink, outbox, endTurn } = setUp(3)
    for (const text of ['aaa', 'bbb', 'ccc']) outbox.push(frame(text))
    endTurn()
    expect(sink.text).toBe('aaabbbccc')
    expect(sink.overflows).toBe(0)
  })

  it('ends with what is pending, even into a full sink, and takes no more', () => {
    const { sink, outbox, endTurn } = setUp()
    sink.hasRoom = false
    outbox.push(frame('a'))
    endTurn()
    outbox.push(frame('b'))
    outbox.end()
    outbox.push(frame('c'))
    outbox.end()
    outbox.drained()
    endTurn()
    expect(sink.text).toBe('ab')
  })

  it('forgets what is pending when it is abandoned', () => {
    const { sink, outbox, endTurn } = setUp()
    outbox.push(frame('a'))
    outbox.abandon()
    outbox.push(frame('b'))
    endTurn()
    expect(sink.writes).toHaveLength(0)
  })

  it('keeps order and loses nothing but by overflow, whatever sinks and turns do', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('push' as const), to: fc.nat(2), shared: fc.nat(5) }) },
      fc.record({ kind: fc.constant('turn' as const) }),
      fc.record({ kind: fc.constant('full' as const), to: fc.nat(2) }),
      fc.record({ kind: fc.constant('drain' as const), to: fc.nat(2) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 12 }), (steps, limit) => {
        const { sinks, outboxes, endTurn } = setUp(limit, 3)
        const shared = ['a', 'bc', 'def', 'g', 'hi', 'j'].map(frame)
        const sent = ['', '', '']
        for (const action of steps) {
          if (action.kind === 'turn') {
            endTurn()
            continue
          }
          const [sink, outbox] = [sinks[action.to], outboxes[action.to]]
          if (!sink || !outbox) continue
          if (action.kind === 'push') {
            const bytes = shared[action.shared] ?? frame('')
            if (sink.overflows === 0) sent[action.to] += Buffer.from(bytes).toString()
            outbox.push(bytes)
          } else if (action.kind === 'full') {
            sink.hasRoom = false
          } else {
            sink.hasRoom = true
            outbox.drained()
          }
        }
        sinks.forEach((sink, i) => {
          sink.hasRoom = true
          outboxes[i]?.drained()
        })
        endTurn()
        sinks.forEach((sink, i) => {
          if (sink.overflows === 0) expect(sink.text).toBe(sent[i])
          else expect(sent[i]?.startsWith(sink.text)).toBe(true)
        })
      }),
    )
  })
})
