import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CONNECTION_TABLE, type ConnectionEffect, type ConnectionEvent, type ConnectionPhase } from './connection-lifecycle.ts'
import { SESSION_TABLE, type SessionEffect, type SessionEvent, type SessionPhase } from './session-lifecycle.ts'
import { nextMove, type TransitionTable } from './transition-table.ts'

type Table = TransitionTable<string, string, string>

/** Every state that can be come to from `from`. */
const reachable = (table: Table, from: string): ReadonlySet<string> => {
  const found = new Set([from])
  for (const state of found) for (const move of Object.values(table[state] ?? {})) if (move) found.add(move.to)
  return found
}

const keysOf = <Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] => Object.keys(record) as Key[]

/** Takes random steps through a table, each one that can happen; gives the states and what was to be done. */
const walk = <State extends string, Event extends string, Effect extends string>(
  table: TransitionTable<State, Event, Effect>,
  initial: State,
  picks: readonly number[],
) => {
  const steps: { readonly from: State; readonly event: Event; readonly to: State; readonly effects: readonly Effect[] }[] = []
  let state = initial
  for (const pick of picks) {
    const possible = keysOf(table[state]).filter((event) => table[state][event])
    const event = possible[pick % possible.length] as Event
    const { to, effects } = nextMove(table, state, event)
    steps.push({ from: state, event, to, effects })
    state = to
  }
  return { state, steps, effects: steps.flatMap((step) => step.effects) }
}

const picks = fc.array(fc.nat(1000), { maxLength: 30 })
const countOf = <T>(items: readonly T[], item: T): number => items.filter((other) => other === item).length

describe.each([
  ['a connection', CONNECTION_TABLE as Table, 'silent', 'disconnected'],
  ['a session', SESSION_TABLE as Table, 'attached', 'ended'],
])('the table of %s', (_, table, initial, last) => {
  it('[L1] has no state that nothing leads to', () => {
    expect([...reachable(table, initial)].sort()).toEqual(Object.keys(table).sort())
  })

  it('[L2] leads to the end from every state', () => {
    for (const state of Object.keys(table)) expect(reachable(table, state)).toContain(last)
  })

  it('[L3] throws for what cannot happen, and for nothing else', () => {
    for (const state of Object.keys(table))
      for (const [event, move] of Object.entries(table[state] ?? {})) {
        if (move) expect(nextMove(table, state, event)).toBe(move)
        else expect(() => nextMove(table, state, event)).toThrow(`${event} while ${state}`)
      }
  })
})

describe('any life of a connection', () => {
  const order: readonly ConnectionPhase[] = ['silent', 'greeted', 'connected', 'disconnecting', 'disconnected']
  const life = (steps: readonly number[]) =>
    walk<ConnectionPhase, ConnectionEvent, ConnectionEffect>(CONNECTION_TABLE, 'silent', steps)

  it('goes on and never back', () => {
    fc.assert(
      fc.property(picks, (steps) => {
        for (const { from, to } of life(steps).steps) expect(order.indexOf(to)).toBeGreaterThanOrEqual(order.indexOf(from))
      }),
    )
  })

  it('[L6] lets go of its deadlines and messages exactly once, as soon as it ends, and is counted until its stream has ended', () => {
    fc.assert(
      fc.property(picks, (steps) => {
        const { state, effects } = life(steps)
        expect(countOf(effects, 'release')).toBe(order.indexOf(state) >= order.indexOf('disconnecting') ? 1 : 0)
        expect(countOf(effects, 'forget')).toBe(state === 'disconnected' ? 1 : 0)
        if (state === 'disconnected') expect(effects.at(-1)).toBe('forget')
      }),
    )
  })

  it('[L5] says why once at most, and before anything else that the end means', () => {
    fc.assert(
      fc.property(picks, (steps) => {
        const { effects } = life(steps)
        expect(countOf(effects, 'tell')).toBeLessThanOrEqual(1)
        if (effects.includes('tell')) expect(effects[0]).toBe('tell')
        expect(countOf(effects, 'close')).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('[L7] leaves its session or ends it, once, and only if it had one', () => {
    fc.assert(
      fc.property(picks, (steps) => {
        const { state, steps: taken, effects } = life(steps)
        const hadSession = taken.some(({ event }) => event === 'accepted')
        const isOver = order.indexOf(state) >= order.indexOf('disconnecting')
        expect(countOf(effects, 'detach') + countOf(effects, 'endSession')).toBe(hadSession && isOver ? 1 : 0)
        const end = taken.find(({ from, to }) => from === 'connected' && to !== 'connected')?.event
        if (end) expect(effects.includes('endSession')).toBe(end === 'left' || end === 'expelled')
      }),
    )
  })
})

describe('any life of a session', () => {
  const life = (steps: readonly number[]) => walk<SessionPhase, SessionEvent, SessionEffect>(SESSION_TABLE, 'attached', steps)

  it('[L9] waits for its TTL exactly while it has no connection', () => {
    fc.assert(
      fc.property(picks, (steps) => {
        const { state, effects } = life(steps)
        expect(countOf(effects, 'wait') - countOf(effects, 'stopWaiting')).toBe(state === 'detached' ? 1 : 0)
      }),
    )
  })

  it('[L8] ends once, and pauses its subscriptions whenever a connection goes without the end', () => {
    fc.assert(
      fc.property(picks, (steps) => {
        const { state, steps: taken, effects } = life(steps)
        // Everybody hears of the end, or another node goes on with it.
        expect(countOf(effects, 'remove') + countOf(effects, 'letGo')).toBe(state === 'ended' ? 1 : 0)
        const goes = taken.filter(({ from, to, event }) => from === 'attached' && to !== 'ended' && event !== 'left')
        expect(countOf(effects, 'pause')).toBe(goes.length)
      }),
    )
  })
})
