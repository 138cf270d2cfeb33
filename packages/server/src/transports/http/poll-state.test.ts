import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isOpen, nextPollState, type PollEvent, type PollState, type PollStep } from './poll-state.ts'

const TIMES = { pollTimeoutMs: 100, pollGapMs: 40 }
type State = PollState<number>

/** Plays events one millisecond apart; gives the final state and the answers as `poll:bytes`. */
const play = (state: State, ...events: (PollEvent<number> | { kind: 'wait'; ms: number })[]) => {
  let now = 0
  const answers: string[] = []
  for (const event of events) {
    if (event.kind === 'wait') {
      now += event.ms
      continue
    }
    const step = nextPollState(state, event, now++, TIMES)
    state = step.state
    if (step.answer) answers.push(`${step.answer.poll}:${Buffer.concat(step.answer.bytes)}`)
  }
  return { state, answers }
}

const bytes = (text: string) => ({ kind: 'bytes', bytes: Buffer.from(text) }) as const
const poll = (id: number) => ({ kind: 'poll', poll: id }) as const
const wait = (ms: number) => ({ kind: 'wait', ms }) as const
const tick = { kind: 'tick' } as const
const end = { kind: 'end' } as const
const waiting: State = { kind: 'waiting', poll: 1, deadline: 100 }
const idle: State = { kind: 'idle', bytes: [], deadline: 40 }

describe('the state of a long-polling connection', () => {
  it('answers a waiting poll with the first bytes, and holds the next ones for the next poll', () => {
    expect(play(waiting, bytes('a'), bytes('b'), poll(2), poll(3)).answers).toEqual(['1:a', '2:b'])
  })

  it('answers a poll empty when its time is over', () => {
    const { state, answers } = play(waiting, wait(99), tick, tick)
    expect(answers).toEqual(['1:'])
    expect(state.kind).toBe('idle')
  })

  it('ends an older poll empty when a newer one comes', () => {
    const { state, answers } = play(waiting, poll(2), bytes('a'))
    expect(answers).toEqual(['1:', '2:a'])
    expect(state.kind).toBe('idle')
  })

  it('closes a connection that nobody polls', () => {
    expect(play(idle, wait(39), tick).state.kind).toBe('idle')
    expect(play(idle, wait(40), tick).state.kind).toBe('closed')
  })

  it('lets a client that went away from an unanswered poll come again', () => {
    expect(play(waiting, { kind: 'gone', poll: 1 }, poll(2), bytes('a')).answers).toEqual(['2:a'])
    expect(play(waiting, { kind: 'gone', poll: 1 }, wait(40), tick).state.kind).toBe('closed')
  })

  it('takes no notice of an older poll that goes away', () => {
    expect(play(waiting, poll(2), { kind: 'gone', poll: 1 }).state).toMatchObject({ kind: 'waiting', poll: 2 })
  })

  it('closes when an answer was lost', () => {
    expect(play(idle, { kind: 'lost' }).state.kind).toBe('closed')
    expect(play(waiting, { kind: 'lost' })).toEqual({ state: { kind: 'closed' }, answers: ['1:'] })
  })

  it('keeps its last bytes for a poll that comes after the end, once', () => {
    const { state, answers } = play(idle, bytes('a'), bytes('b'), end, poll(2))
    expect(answers).toEqual(['2:ab'])
    expect(state.kind).toBe('closed')
    expect(play(idle, bytes('a'), end, wait(40), tick).state.kind).toBe('closed')
    expect(play(idle, end).state.kind).toBe('closed')
  })

  it('asks the client to show itself by answering its poll', () => {
    expect(play(waiting, { kind: 'probe' })).toMatchObject({ state: { kind: 'idle' }, answers: ['1:'] })
    expect(play(idle, { kind: 'probe' })).toMatchObject({ state: { kind: 'idle' }, answers: [] })
  })

  it('answers every poll at most once, loses no bytes while open, and never leaves `closed`', () => {
    const event = fc.oneof(
      fc.constant({ kind: 'poll' as const }),
      fc.constant({ kind: 'bytes' as const }),
      fc.constant({ kind: 'gone' as const }),
      fc.constant({ kind: 'probe' as const }),
      fc.constant({ kind: 'tick' as const }),
      fc.constant({ kind: 'end' as const }),
      fc.integer({ min: 1, max: 60 }).map((ms) => ({ kind: 'wait' as const, ms })),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let state: State = waiting
        let now = 0
        let polls = 1
        let sent = ''
        let got = ''
        const answered = new Set<number>()
        for (const { kind, ...rest } of events) {
          if (kind === 'wait') {
            now += (rest as { ms: number }).ms
            continue
          }
          const wasOpen = isOpen(state)
          const wasClosed = state.kind === 'closed'
          if (kind === 'bytes' && wasOpen) sent += String.fromCharCode(97 + (sent.length % 26))
          const current = state.kind === 'waiting' ? state.poll : polls
          const step: PollStep<number> = nextPollState(
            state,
            kind === 'poll'
              ? poll(++polls)
              : kind === 'bytes'
                ? bytes(sent.slice(-1))
                : kind === 'gone'
                  ? { kind, poll: current }
                  : { kind },
            now++,
            TIMES,
          )
          state = step.state
          if (wasClosed) expect(state.kind).toBe('closed')
          if (!step.answer) continue
          expect(answered).not.toContain(step.answer.poll)
          answered.add(step.answer.poll)
          got += Buffer.concat(step.answer.bytes)
          expect(sent.startsWith(got)).toBe(true)
        }
        const held = state.kind === 'idle' || state.kind === 'leaving' ? String(Buffer.concat(state.bytes)) : ''
        if (state.kind !== 'closed') expect(got + held).toBe(sent)
      }),
    )
  })
})
