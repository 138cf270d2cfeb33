import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Flushable, FlushScheduler } from './flush-scheduler.ts'
import { Outbox, type Sink } from './outbox.ts'
import { createTestContext } from './testing/test-context.ts'

/** A sink that keeps what it is given, and is full when told. */
class FakeSink implements Sink {
  readonly transport = 'tcp'
  readonly remoteAddress = '192.0.2.1'
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
  const context = { ...createTestContext({ maxBufferedBytes }), scheduler }
  const outboxes = sinks.map((sink) => new Outbox(context, sink))
  const [sink, outbox] = [sinks[0] ?? new FakeSink(), outboxes[0] ?? new Outbox(context, new FakeSink())]
  return {
    context,
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

  it('holds what is pending when others have filled the sink, until it has drained', () => {
    const { sink, outbox, endTurn } = setUp()
    outbox.push(frame('a'))
    expect(outbox.isOpen).toBe(true)
    outbox.filled()
    expect(outbox.isOpen).toBe(false)
    endTurn()
    outbox.push(frame('b'))
    expect(sink.writes).toEqual([])
    outbox.drained()
    expect(outbox.isOpen).toBe(true)
    expect(sink.text).toBe('ab')
    outbox.end()
    outbox.filled()
    outbox.drained()
    expect(outbox.isOpen).toBe(false)
  })

  it('asks to be flushed once for all that is pending, and no more once it takes no more', () => {
    const { context, sink } = setUp()
    const asked: Outbox[] = []
    const queue = { start: context.scheduler.start, add: (outbox: Flushable) => asked.push(outbox as Outbox) }
    const [ended, abandoned] = [new Outbox(context, sink, queue), new Outbox(context, sink, queue)]
    for (const outbox of [ended, abandoned]) {
      outbox.push(frame('a'))
      outbox.push(frame('b'))
    }
    expect(asked).toEqual([ended, abandoned])
    ended.end()
    abandoned.abandon()
    for (const outbox of [ended, abandoned]) outbox.push(frame('c'))
    expect(asked).toHaveLength(2)
    for (const outbox of asked) outbox.flush()
    expect(sink.text).toBe('ab')
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

/** An outbox whose sink is full from the first frame on. */
const setUpFull = (maxBufferedBytes = 100) => {
  const all = setUp(maxBufferedBytes)
  all.sink.hasRoom = false
  all.outbox.push(frame('0'))
  all.endTurn()
  return {
    ...all,
    drain: () => {
      all.sink.hasRoom = true
      all.outbox.drained()
    },
  }
}

describe('frames with a slot', () => {
  it('replace the one of their slot that waits, and come last', () => {
    const { outbox, sink, drain } = setUpFull()
    outbox.push(frame('a1'), 'a')
    outbox.push(frame('b1'), 'b')
    outbox.push(frame('--'))
    outbox.push(frame('a2'), 'a')
    outbox.push(frame('--'))
    outbox.push(frame('a3'), 'a')
    drain()
    expect(sink.text).toBe('0b1----a3')
    expect(sink.writes).toHaveLength(2)
  })

  it('follow the frames that waited already, which stay as they are', () => {
    const { outbox, sink, drain } = setUpFull()
    outbox.push(frame('x'))
    outbox.push(frame('y'))
    outbox.push(frame('a1'), 'a')
    outbox.push(frame('z'))
    outbox.push(frame('a2'), 'a')
    drain()
    expect(sink.text).toBe('0xyza2')
  })

  it('are all written while the sink has room', () => {
    const { outbox, sink, endTurn, context } = setUp()
    for (const text of ['a1', 'a2', 'a3']) outbox.push(frame(text), 'a')
    endTurn()
    expect(sink.text).toBe('a1a2a3')
    expect(context.traffic.tcp).toMatchObject({ behind: 0, fellBehind: 0, conflated: 0 })
  })

  it('begin anew after the sink has drained', () => {
    const { outbox, sink, endTurn, drain } = setUpFull()
    outbox.push(frame('a1'), 'a')
    drain()
    outbox.push(frame('a2'), 'a')
    sink.hasRoom = false
    endTurn()
    outbox.push(frame('b1'), 'b')
    drain()
    expect(sink.text).toBe('0a1a2b1')
  })

  it('are written by the end, into a full sink too', () => {
    const { outbox, sink } = setUpFull()
    for (const text of ['a1', 'a2']) outbox.push(frame(text), 'a')
    outbox.push(frame('bye'))
    outbox.end()
    expect(sink.text).toBe('0a2bye')
  })

  it('overflow when what is left of them is more than the limit, counted exactly', () => {
    const { outbox, sink } = setUpFull(5)
    for (let i = 0; i < 100; i++) outbox.push(frame('aaaa'), 'a')
    outbox.push(frame('b'))
    expect(sink.overflows).toBe(0)
    outbox.push(frame('aaaaa'), 'a')
    expect(sink.overflows).toBe(1)
  })

  it('are the same bytes as ever when one alone has waited, and joined once for all who drain in one turn', () => {
    const { outboxes, sinks, endTurn } = setUp(100, 3)
    for (const [index, outbox] of outboxes.entries()) {
      const sink = sinks[index]
      if (sink) sink.hasRoom = false
      outbox.push(frame('0'))
    }
    endTurn()
    const [older, newer, other] = [frame('a1'), frame('a2'), frame('b')]
    for (const outbox of outboxes) outbox.push(older, 'a')
    for (const outbox of outboxes) outbox.push(newer, 'a')
    outboxes[0]?.drained()
    expect(sinks[0]?.writes.at(-1)).toBe(newer)
    for (const outbox of outboxes.slice(1)) outbox.push(other, 'b')
    for (const outbox of outboxes.slice(1)) outbox.drained()
    expect(sinks[1]?.text).toBe('0a2b')
    expect(sinks[1]?.writes.at(-1)).toBe(sinks[2]?.writes.at(-1))
  })
})

describe('a connection that is behind', () => {
  it('is counted as long as frames wait for it, and once among those that ever were', () => {
    const { outbox, drain, sink, endTurn, context } = setUpFull()
    const { tcp } = context.traffic
    expect(tcp).toMatchObject({ behind: 0, fellBehind: 0 })
    outbox.push(frame('a'))
    outbox.push(frame('b'), 'b')
    expect(tcp).toMatchObject({ behind: 1, fellBehind: 1 })
    drain()
    expect(tcp).toMatchObject({ behind: 0, fellBehind: 1 })
    sink.hasRoom = false
    outbox.push(frame('c'))
    endTurn()
    outbox.push(frame('d'))
    expect(tcp).toMatchObject({ behind: 1, fellBehind: 1 })
    outbox.abandon()
    outbox.abandon()
    expect(tcp).toMatchObject({ behind: 0, fellBehind: 1 })
  })

  it('is logged when it first conflates, and every publication that made way is counted', () => {
    const { outbox, drain, sink, endTurn, context } = setUpFull()
    for (const text of ['a', 'aa', 'aaa']) outbox.push(frame(text), 'a')
    drain()
    sink.hasRoom = false
    for (const text of ['b', 'b', 'b']) {
      outbox.push(frame(text), 'b')
      endTurn()
    }
    expect(context.traffic.tcp.conflated).toBe(3)
    const details = { transport: 'tcp', remoteAddress: '192.0.2.1', bufferedBytes: 2 }
    expect(context.events).toEqual([{ event: 'slow_consumer_conflated', details }])
  })

  it('is logged and counted when too much waits', () => {
    const { outbox, context } = setUpFull(3)
    outbox.push(frame('aaa'))
    outbox.push(frame('bb'))
    outbox.push(frame('c'))
    expect(context.traffic.tcp).toMatchObject({ behind: 0, fellBehind: 1, slowDisconnects: 1 })
    const details = { transport: 'tcp', remoteAddress: '192.0.2.1', bufferedBytes: 5 }
    expect(context.events).toEqual([{ event: 'slow_consumer', details }])
  })
})

describe('conflation', () => {
  const send = fc.record({
    kind: fc.constant('send' as const),
    slot: fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { nil: undefined }),
    length: fc.integer({ min: 1, max: 6 }),
  })
  const step = fc.oneof(
    { weight: 4, arbitrary: send },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
    fc.record({ kind: fc.constant('fill' as const) }),
    fc.record({ kind: fc.constant('drain' as const) }),
  )

  it('[S10] does what a plain list would: keeps order, the newest of each slot, all without one, and the limit', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 6, max: 200 }), (steps, limit) => {
        const { sink, outbox, endTurn, context } = setUp(limit)
        /** What the client must get, by the plainest account. */
        const model = {
          written: [] as string[],
          waiting: [] as { readonly slot: string | undefined; readonly text: string }[],
          isFull: false,
          isEnded: false,
          conflated: 0,
        }
        const write = (): void => {
          if (model.waiting.length === 0) return
          model.written.push(...model.waiting.splice(0).map(({ text }) => text))
          model.isFull = !sink.hasRoom
        }
        for (const [number, action] of steps.entries()) {
          if (action.kind === 'fill') sink.hasRoom = false
          else if (action.kind === 'turn') {
            endTurn()
            if (!model.isFull) write()
          } else if (action.kind === 'drain') {
            sink.hasRoom = true
            outbox.drained()
            if (model.isFull) {
              model.isFull = false
              write()
            }
          } else if (!model.isEnded) {
            const { slot, length } = action
            const text = `${slot ?? '-'}${number}`.padEnd(length + 4, '.')
            outbox.push(frame(text), slot)
            const older = model.isFull && slot !== undefined ? model.waiting.findIndex((one) => one.slot === slot) : -1
            if (older >= 0) {
              model.waiting.splice(older, 1)
              model.conflated++
            }
            model.waiting.push({ slot, text })
            const waits = model.waiting.reduce((sum, one) => sum + one.text.length, 0)
            if (model.isFull && waits > limit) {
              model.isEnded = true
              model.waiting = []
            }
          }
          expect(sink.text).toBe(model.written.join(''))
          expect(sink.overflows).toBe(model.isEnded ? 1 : 0)
          expect(context.traffic.tcp.conflated).toBe(model.conflated)
          expect(context.traffic.tcp.behind).toBe(model.isFull && model.waiting.length > 0 ? 1 : 0)
        }
      }),
      { numRuns: 300 },
    )
  })
})
