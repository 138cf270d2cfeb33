/** The client's state machine as rows: its code runs on a representative of every state, in all circumstances that it looks at. */
import { ClientError, type FailureKind } from '../packages/client/src/client-error.ts'
import { type ConnectionEvent, type ConnectionState, transition } from '../packages/client/src/connection-state.ts'
import { Failure } from '../packages/client/src/failure.ts'
import { type Choice, type Dimension, IMPOSSIBLE, machineRows, type Outcome, type Row } from './lifecycle-rows.ts'

type Name = ConnectionState['name']
type Type = ConnectionEvent['type']

/** Both lists are complete, or this does not compile. */
const STATES: Readonly<Record<Name, true>> = {
  idle: true,
  authorizing: true,
  connecting: true,
  connected: true,
  waiting: true,
  degraded: true,
  closing: true,
  closed: true,
}
const EVENTS: Readonly<Record<Type, true>> = {
  connect: true,
  authorized: true,
  connected: true,
  failed: true,
  wake: true,
  online: true,
  doubt: true,
  reroute: true,
  suspend: true,
  close: true,
  told: true,
}

const KINDS: readonly FailureKind[] = ['transient', 'unreachable', 'authentication', 'fatal']
const DIMENSIONS = [
  KINDS,
  ['another route is left', 'no route is left'],
  ['tokens can be renewed', 'tokens cannot be renewed'],
  ['first refusal of the round', 'second refusal of the round'],
  ['it had held for 5 s', 'it had held for less'],
  ['attempts are left', 'attempts are used up'],
  ['the server asks for no wait', 'the server asks for a wait'],
] as const satisfies readonly Dimension[]

const POLICY = { minBackoffMs: 1000, maxBackoffMs: 30_000, maxAttempts: 10, probeIntervalMs: 60_000, connectTimeoutMs: 10_000 }
const NOW = 1_000_000
const ROUTES = ['https://a', 'https://b'].map((endpoint) => ({ endpoint, transport: 'websocket' as const }))

const run = (name: string, type: string, choice: Choice): Outcome => {
  const [kind = '', ...others] = choice
  const [isRouteLeft, isRenewable, isFirst, hasHeld, isAttemptLeft, isUnasked] = others.map((word) =>
    DIMENSIONS.some(([yes]) => yes === word),
  )
  const attempt = isAttemptLeft ? 0 : POLICY.maxAttempts - 1
  const error = new ClientError('any', 'any', isUnasked ? {} : { retryAfterMs: 1 })
  const trying = { attempt, renewed: !isFirst, wakeAt: NOW }
  const routes = isRouteLeft ? ROUTES : ROUTES.slice(1)
  const since = NOW - (hasHeld ? 5000 : 4999)
  const states: { readonly [State in Name]: Extract<ConnectionState, { name: State }> } = {
    idle: { name: 'idle' },
    authorizing: { name: 'authorizing', ...trying },
    connecting: { name: 'connecting', ...trying, routes },
    connected: { name: 'connected', attempt, route: { endpoint: 'https://a', transport: 'websocket' }, since },
    waiting: { name: 'waiting', attempt, wakeAt: NOW, error },
    degraded: { name: 'degraded', attempt: POLICY.maxAttempts, wakeAt: NOW, error },
    closing: { name: 'closing' },
    closed: { name: 'closed' },
  }
  const failure = new Failure(kind as FailureKind, kind, kind)
  const event = {
    type,
    ...(type === 'authorized' && { routes: ROUTES }),
    ...(type === 'failed' && { failure }),
  } as ConnectionEvent
  const about = { now: NOW, random: 0.5, policy: { ...POLICY, renewable: isRenewable === true } }
  try {
    const { state, effects } = transition(states[name as Name], event, about)
    return { to: state.name, effects }
  } catch {
    return IMPOSSIBLE
  }
}

export const clientRows = (): Row[] => machineRows(Object.keys(STATES), Object.keys(EVENTS), DIMENSIONS, run)
