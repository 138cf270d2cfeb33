import { expect, test } from 'vitest'
import type { FailureKind } from './client-error.ts'
import { type ConnectionEvent, type ConnectionPolicy, type ConnectionState, transition } from './connection-state.ts'
import { Failure } from './failure.ts'

const policy: ConnectionPolicy = {
  minBackoffMs: 1000,
  maxBackoffMs: 30_000,
  maxAttempts: 3,
  probeIntervalMs: 60_000,
  connectTimeoutMs: 10_000,
  renewable: true,
}
const kinds: readonly FailureKind[] = ['transient', 'authentication', 'unreachable', 'fatal']
const events: readonly ConnectionEvent[] = [
  ...(['connect', 'close', 'told', 'connected', 'wake', 'online', 'doubt', 'reroute', 'suspend'] as const).map((type) => ({
    type,
  })),
  { type: 'authorized', routes: ['https://a', 'https://b'].map((endpoint) => ({ endpoint, transport: 'websocket' as const })) },
  ...kinds.map((kind) => ({ type: 'failed' as const, failure: new Failure(kind, kind, kind) })),
]

/** States that differ in nothing that decides what comes next have the same key. */
const keyOf = (state: ConnectionState): string => {
  const attempt = 'attempt' in state ? Math.min(state.attempt, policy.maxAttempts + 1) : ''
  const trying = 'renewed' in state ? state.renewed : ''
  return [state.name, attempt, trying, 'routes' in state ? state.routes.length : ''].join(' ')
}

/** Where an event leads to; undefined when it cannot happen. */
const next = (state: ConnectionState, event: ConnectionEvent): ConnectionState | undefined => {
  try {
    return transition(state, event, { now: 0, random: 0.5, policy }).state
  } catch {
    return undefined
  }
}

/** Every state that can be come to from `from`, by its key. */
const reachable = (from: ConnectionState): ReadonlyMap<string, ConnectionState> => {
  const found = new Map([[keyOf(from), from]])
  for (const state of found.values())
    for (const event of events) {
      const to = next(state, event)
      if (to && !found.has(keyOf(to))) found.set(keyOf(to), to)
    }
  return found
}

const namesOf = (states: ReadonlyMap<string, ConnectionState>): readonly string[] =>
  [...new Set([...states.values()].map(({ name }) => name))].sort()

test('[L1] every state can be come to', () => {
  expect(namesOf(reachable({ name: 'idle' }))).toEqual(
    ['authorizing', 'closed', 'closing', 'connected', 'connecting', 'degraded', 'idle', 'waiting'].sort(),
  )
})

test('[L2] no state is a trap: each leads to disconnected, and to a connection', () => {
  for (const state of reachable({ name: 'idle' }).values())
    expect(namesOf(reachable(state))).toEqual(expect.arrayContaining(['closed', 'connected']))
})

test('[L3] what the world may do at any time can happen in every state', () => {
  const outside: readonly ConnectionEvent['type'][] = ['connect', 'close', 'online', 'doubt', 'reroute', 'suspend']
  for (const state of reachable({ name: 'idle' }).values())
    for (const event of events)
      if (outside.includes(event.type)) expect(next(state, event), `${event.type} while ${state.name}`).toBeDefined()
})
