import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FailureKind } from './client-error.ts'
import { ClientError } from './client-error.ts'
import {
  type ConnectionEvent,
  type ConnectionPolicy,
  type ConnectionState,
  type Effect,
  type Step,
  transition,
} from './connection-state.ts'
import { Failure } from './failure.ts'
import type { Route } from './routes.ts'

const policy: ConnectionPolicy = {
  minBackoffMs: 1000,
  maxBackoffMs: 30_000,
  maxAttempts: 4,
  probeIntervalMs: 60_000,
  connectTimeoutMs: 10_000,
  renewable: true,
}
const routes: readonly Route[] = [
  { endpoint: 'https://a', transport: 'websocket' },
  { endpoint: 'https://b', transport: 'websocket' },
]
const failed = (kind: FailureKind, retryAfterMs?: number): ConnectionEvent => ({
  type: 'failed',
  failure: new Failure(kind, kind, kind, { retryAfterMs }),
})
const connect: ConnectionEvent = { type: 'connect' }
const authorized: ConnectionEvent = { type: 'authorized', routes }
const connected: ConnectionEvent = { type: 'connected' }

/** Runs events through the machine, one a second. */
const run = (
  events: readonly ConnectionEvent[],
  { random = 0.5, renewable = true, from = { name: 'idle' } as ConnectionState } = {},
) => {
  let step: Step = { state: from, effects: [] }
  let now = 0
  for (const event of events) {
    now += 1000
    step = transition(step.state, event, { now, random, policy: { ...policy, renewable } })
  }
  return { ...step, now }
}

describe('the way in', () => {
  test('a token first, then the first route, then it is there', () => {
    expect(run([connect])).toMatchObject({ state: { name: 'authorizing', attempt: 0 }, effects: ['drop', 'authorize'] })
    expect(run([connect, authorized])).toMatchObject({ state: { name: 'connecting', routes }, effects: ['open'] })
    expect(run([connect, authorized, connected])).toMatchObject({
      state: { name: 'connected', route: routes[0], since: 3000 },
      effects: [],
    })
  })

  test('[L14] an unreachable route is followed by the next one at once, and only the end of the round is waited for', () => {
    const first = run([connect, authorized, failed('unreachable')])
    expect(first).toMatchObject({ state: { name: 'connecting', routes: [routes[1]], attempt: 0 }, effects: ['drop', 'open'] })
    const second = run([connect, authorized, failed('unreachable'), failed('unreachable')])
    expect(second).toMatchObject({ state: { name: 'waiting', attempt: 1 }, effects: ['drop'] })
  })

  test('[L14] silence is as good as unreachable', () => {
    const step = run([connect, authorized, { type: 'wake' }])
    expect(step).toMatchObject({ state: { name: 'connecting', routes: [routes[1]], wakeAt: 13_000 }, effects: ['drop', 'open'] })
  })

  test('[L12] a server that has no room is not avoided but waited for', () => {
    expect(run([connect, authorized, failed('transient')])).toMatchObject({ state: { name: 'waiting', attempt: 1 } })
  })

  test('a token that takes too long, or fails for now, is asked for again later', () => {
    expect(run([connect, { type: 'wake' }])).toMatchObject({ state: { name: 'waiting', attempt: 1 }, effects: ['drop'] })
    expect(run([connect, failed('transient')])).toMatchObject({ state: { name: 'waiting', attempt: 1 } })
  })
})

describe('waiting', () => {
  test('[L12] the wait is drawn up to a bound that doubles', () => {
    const waits = [0, 1, 2].map((attempt) => {
      const { state, now } = run([authorized, failed('transient')], {
        from: { name: 'authorizing', attempt, renewed: false, wakeAt: 0 },
      })
      return 'wakeAt' in state ? state.wakeAt - now : 0
    })
    expect(waits).toEqual([500, 1000, 2000])
  })

  test('[L12] the server is never tried sooner than it asks for', () => {
    const { state } = run([connect, authorized, connected, failed('transient', 7000)], { random: 0 })
    expect(state).toMatchObject({ name: 'waiting', wakeAt: 4000 + 7000 })
    expect(run([{ type: 'doubt' }], { from: state })).toMatchObject({ state, effects: [] })
  })

  test('a network that comes up forgets the failures and tries at once', () => {
    const from = run([connect, authorized, failed('transient')]).state
    expect(run([{ type: 'online' }], { from })).toMatchObject({
      state: { name: 'authorizing', attempt: 0 },
      effects: ['drop', 'authorize'],
    })
  })

  test('someone who looks at the page again need not wait', () => {
    const from = run([connect, authorized, failed('transient')]).state
    expect(run([{ type: 'doubt' }], { from })).toMatchObject({
      state: { name: 'authorizing', attempt: 1 },
      effects: ['drop', 'authorize'],
    })
  })
})

describe('authentication', () => {
  test('[L13] a refused token is replaced once, then the client stops and says why', () => {
    const once = run([connect, authorized, failed('authentication')])
    expect(once).toMatchObject({ state: { name: 'authorizing', renewed: true }, effects: ['drop', 'authorize'] })
    const twice = run([authorized, failed('authentication')], { from: once.state })
    expect(twice).toMatchObject({ state: { name: 'closed', error: { code: 'authentication' } }, effects: ['drop'] })
  })

  test('[L13] without getToken it stops at once', () => {
    const step = run([connect, authorized, failed('authentication')], { renewable: false })
    expect(step.state).toMatchObject({ name: 'closed', error: { code: 'authentication' } })
  })

  test('a token that runs out while connected is replaced on the way back in', () => {
    const step = run([connect, authorized, connected, failed('authentication')])
    expect(step.state.name).toBe('waiting')
    expect(run([connect, authorized, connected, failed('authentication')], { renewable: false }).state.name).toBe('closed')
  })
})

describe('connected', () => {
  const line: ConnectionState = { name: 'connected', attempt: 2, route: routes[0] as Route, since: 0 }
  const lostAt = (now: number) => transition(line, failed('unreachable'), { now, random: 0.5, policy }).state

  test('[L12] a line that held forgets the failures before it, one that broke at once adds to them', () => {
    expect(lostAt(60_000)).toMatchObject({ name: 'waiting', attempt: 1 })
    expect(lostAt(100)).toMatchObject({ name: 'waiting', attempt: 3 })
  })

  test('[L12] a server that leaves is left at once, and that is no failure', () => {
    const told = (retryAfterMs?: number): ConnectionEvent => ({
      type: 'failed',
      failure: new Failure('transient', 'server_draining', 'leaving', { retryAfterMs }),
    })
    const line: ConnectionState = { name: 'connected', attempt: 2, route: routes[0] as Route, since: 0 }
    const about = { now: 60_000, random: 0.5, policy }
    const { state, effects } = transition(line, told(), about)
    expect({ state, effects }).toMatchObject({ state: { name: 'waiting', attempt: 0, wakeAt: 60_050 }, effects: ['drop'] })
    expect(transition(line, told(2000), about).state).toMatchObject({ attempt: 0, wakeAt: 62_050 })
    // Should the next one not be there yet, the back-off begins at its beginning.
    expect(run([{ type: 'wake' }, authorized, failed('transient')], { from: state }).state).toMatchObject({ attempt: 1 })
    // One that sends everyone away as they come is not hammered.
    expect(transition(line, told(), { ...about, now: 100 }).state).toMatchObject({ attempt: 3 })
  })

  test('a doubt is answered by a ping, not by a new connection', () => {
    expect(run([{ type: 'doubt' }], { from: line })).toEqual({ state: line, effects: ['check'], now: 1000 })
    expect(run([{ type: 'online' }], { from: line })).toEqual({ state: line, effects: ['check'], now: 1000 })
  })

  test('another route means another connection', () => {
    expect(run([{ type: 'reroute' }], { from: line })).toMatchObject({
      state: { name: 'authorizing' },
      effects: ['drop', 'authorize'],
    })
  })

  test('[L16] a fatal end is the end', () => {
    expect(run([failed('fatal')], { from: line })).toMatchObject({ state: { name: 'closed', error: { code: 'fatal' } } })
  })

  test('a suspended page holds no connection, and comes back by itself', () => {
    const { state, effects } = run([{ type: 'suspend' }], { from: line })
    expect(effects).toEqual(['drop'])
    expect(state).toMatchObject({ name: 'waiting', wakeAt: Number.POSITIVE_INFINITY, error: { code: 'suspended' } })
    expect(run([{ type: 'online' }], { from: state }).state.name).toBe('authorizing')
  })
})

describe('degraded', () => {
  const open: ConnectionState = { name: 'degraded', attempt: 4, wakeAt: 0, error: new ClientError('unreachable', 'gone') }
  const halfOpen = run([{ type: 'wake' }, authorized], { from: open }).state
  const fail = failed('unreachable')

  test.each([
    [0, 30_000],
    [0.5, 60_000],
    [0.999, 89_940],
  ])('[L15] probes about every probeIntervalMs (chance says %d)', (random, wait) => {
    const { state, now } = run([fail, fail], { from: halfOpen, random })
    expect(state).toMatchObject({ name: 'degraded', attempt: 5, wakeAt: now + wait })
  })

  test('[L15] a probe is one round over every route; when it fails the circuit stays open', () => {
    expect(run([fail], { from: halfOpen }).state).toMatchObject({ name: 'connecting', routes: [routes[1]] })
    expect(run([fail, fail], { from: halfOpen }).state).toMatchObject({ name: 'degraded' })
    expect(run([fail, fail, { type: 'wake' }], { from: halfOpen })).toMatchObject({
      state: { name: 'authorizing', attempt: 5 },
      effects: ['drop', 'authorize'],
    })
  })

  test('[L15] the first probe that succeeds closes the circuit, unless its connection breaks at once', () => {
    const { state, now } = run([connected], { from: halfOpen })
    const lostAfter = (ms: number) => transition(state, fail, { now: now + ms, random: 0.5, policy }).state
    expect(lostAfter(5000)).toMatchObject({ name: 'waiting', attempt: 1 })
    expect(lostAfter(4999)).toMatchObject({ name: 'degraded', attempt: 5 })
  })

  test('[L15] a network that comes up closes the circuit', () => {
    expect(run([{ type: 'online' }, authorized, fail, fail], { from: open }).state).toMatchObject({ name: 'waiting', attempt: 1 })
  })
})

describe('leaving', () => {
  const close: ConnectionEvent = { type: 'close' }

  test('[L11] a connection is ended by telling the server, which takes a while', () => {
    for (const from of [run([connect, authorized]).state, run([connect, authorized, connected]).state]) {
      const step = run([close], { from })
      expect(step).toMatchObject({ state: { name: 'closing' }, effects: ['drop'] })
      expect(run([{ type: 'told' }], { from: step.state })).toMatchObject({ state: { name: 'closed' }, effects: [] })
      expect(run([connect], { from: step.state }).state.name).toBe('authorizing')
    }
  })

  test('where there is none nobody has to be told', () => {
    for (const from of [run([]).state, run([connect]).state, run([connect, authorized, failed('transient')]).state])
      expect(run([close], { from })).toMatchObject({ state: { name: 'closed' }, effects: ['drop'] })
  })
})

test('an event that cannot happen is a mistake of the caller', () => {
  expect(() => run([connected])).toThrow('connected while idle')
})

describe('any sequence of events', () => {
  /** What the world around the machine can do, as a model that knows only what effects told it. */
  interface World {
    open: number
    asking: boolean
  }
  type Move = { readonly event: ConnectionEvent; readonly can: (world: World, state: ConnectionState) => boolean }

  const always = () => true
  const hasLine = ({ open, asking }: World, state: ConnectionState) => open > 0 || (asking && state.name === 'authorizing')
  const moves: readonly Move[] = [
    { event: connect, can: always },
    { event: { type: 'close' }, can: always },
    { event: { type: 'online' }, can: always },
    { event: { type: 'doubt' }, can: always },
    { event: { type: 'reroute' }, can: always },
    { event: { type: 'suspend' }, can: always },
    { event: authorized, can: ({ asking }) => asking },
    { event: { type: 'told' }, can: (_, { name }) => name === 'closing' },
    { event: connected, can: ({ open }, { name }) => open > 0 && name === 'connecting' },
    { event: { type: 'wake' }, can: (_, state) => 'wakeAt' in state && Number.isFinite(state.wakeAt) },
    ...(['transient', 'unreachable', 'authentication', 'fatal'] as const).map((kind) => ({ event: failed(kind), can: hasLine })),
  ]
  const script = fc.array(
    fc.record({ move: fc.nat(moves.length - 1), random: fc.double({ min: 0, max: 0.999, noNaN: true }), pass: fc.nat(20_000) }),
    { maxLength: 200 },
  )

  const effectsOn: Record<Effect, (world: World) => void> = {
    open: (world) => {
      world.open++
      world.asking = false
    },
    drop: (world) => {
      world.open = 0
      world.asking = false
    },
    authorize: (world) => {
      world.asking = true
    },
    check: () => {},
  }

  test('[L10] never leads to two connections, a forgotten one, or a state that nothing leaves', () => {
    fc.assert(
      fc.property(script, (steps) => {
        const world: World = { open: 0, asking: false }
        let state: ConnectionState = { name: 'idle' }
        let now = 0
        for (const { move, random, pass } of steps) {
          const { event, can } = moves[move] as Move
          if (!can(world, state)) continue
          now += pass
          const step = transition(state, event, { now, random, policy })
          for (const effect of step.effects) {
            effectsOn[effect](world)
            expect(world.open).toBeLessThanOrEqual(1)
            // A token is asked for, or a connection is there; never both.
            expect(world.asking && world.open > 0).toBe(false)
          }
          state = step.state
          expect(world.open).toBe(state.name === 'connecting' || state.name === 'connected' ? 1 : 0)
          expect(world.asking).toBe(state.name === 'authorizing')
          // Who has left waits for nothing.
          if (['idle', 'closing', 'closed'].includes(state.name)) expect('wakeAt' in state).toBe(false)
          if (step.effects.length > 0 && 'wakeAt' in state) expect(state.wakeAt).toBeGreaterThanOrEqual(now)
          // A suspended page keeps its count, and may have been degraded.
          if (state.name === 'waiting' && Number.isFinite(state.wakeAt)) expect(state.attempt).toBeLessThan(policy.maxAttempts)
          if (state.name === 'degraded') expect(state.attempt).toBeGreaterThanOrEqual(policy.maxAttempts)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('[L15] of failed rounds alone is counted, reaches degraded, and leaves it when the server is back', () => {
    const kinds = fc.array(fc.constantFrom<FailureKind>('transient', 'unreachable'), { minLength: 8, maxLength: 30 })
    fc.assert(
      fc.property(kinds, fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, random) => {
        const machine: { state: ConnectionState } = { state: { name: 'idle' } }
        let now = 0
        let rounds = 0
        const go = (event: ConnectionEvent) => {
          machine.state = transition(machine.state, event, { now, random, policy }).state
        }
        go(connect)
        for (const kind of failures) {
          if (machine.state.name === 'authorizing') go(authorized)
          const { state } = machine
          const isLast = kind === 'transient' || (state.name === 'connecting' && state.routes.length === 1)
          go(failed(kind))
          if (!isLast) continue
          rounds++
          const resting = machine.state as Extract<ConnectionState, { name: 'waiting' | 'degraded' }>
          expect(resting.attempt).toBe(rounds)
          expect(resting.name).toBe(rounds < policy.maxAttempts ? 'waiting' : 'degraded')
          const wait = resting.wakeAt - now
          if (resting.name === 'waiting') expect(wait).toBeLessThanOrEqual(Math.min(30_000, 1000 * 2 ** (rounds - 1)))
          else expect(wait).toBeGreaterThanOrEqual(policy.probeIntervalMs / 2)
          now = resting.wakeAt
          go({ type: 'wake' })
        }
        if (machine.state.name === 'authorizing') go(authorized)
        go(connected)
        now += 60_000
        go(failed('unreachable'))
        expect(machine.state).toMatchObject({ name: 'waiting', attempt: 1 })
      }),
    )
  })
})

test('an error of the machine is the one that was given', () => {
  const state = run([connect, failed('transient')]).state
  expect('error' in state && state.error).toBeInstanceOf(ClientError)
})
