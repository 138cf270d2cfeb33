/**
 * A long-polling connection: which request is waiting for an answer, if any, and how long it may stay so.
 *
 *                poll                       message, timeout
 *      idle ─────────────▶ waiting ──────────────────────────▶ idle
 *       │                     │  ▲ a newer poll ends the older
 *       │                     │  └───┘
 *       │ no poll in time,    │ end
 *       │ answer lost, end    ▼
 *       ├─────────────────▶ closed ◀──────────┐
 *       │ end with bytes left                 │ poll, timeout
 *       └─────────────────▶ leaving ──────────┘
 *
 * `leaving` has ended, and keeps its last bytes for a poll that may still come: they say why.
 */
export type PollState<P> =
  | { readonly kind: 'waiting'; readonly poll: P; readonly deadline: number }
  /** `bytes` came while no poll was there to take them. */
  | { readonly kind: 'idle'; readonly bytes: readonly Uint8Array[]; readonly deadline: number }
  | { readonly kind: 'leaving'; readonly bytes: readonly Uint8Array[]; readonly deadline: number }
  | { readonly kind: 'closed' }

export type PollEvent<P> =
  | { readonly kind: 'poll'; readonly poll: P }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** The client has gone away from a poll that was not answered yet; it may come again. */
  | { readonly kind: 'gone'; readonly poll: P }
  /** The engine has ended the connection. */
  | { readonly kind: 'end' }
  /** Messages have been lost on the way to the client, or dropped: nothing that follows would make sense. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'tick' }
  /** The client is asked to show itself: it does so by polling again. */
  | { readonly kind: 'probe' }

export interface PollTimes {
  /** How long a poll waits for messages. */
  readonly pollTimeoutMs: number
  /** How long a connection may be without a poll. */
  readonly pollGapMs: number
}

export interface PollStep<P> {
  readonly state: PollState<P>
  /** A poll to answer now, with these bytes. */
  readonly answer?: { readonly poll: P; readonly bytes: readonly Uint8Array[] }
}

const NONE: readonly Uint8Array[] = []
const CLOSED = { kind: 'closed' } as const

export const isOpen = (state: PollState<unknown>): boolean => state.kind === 'waiting' || state.kind === 'idle'

/** The next state. Total: every event has its meaning in every state, if only that it comes too late. */
export const nextPollState = <P>(state: PollState<P>, event: PollEvent<P>, now: number, times: PollTimes): PollStep<P> => {
  switch (state.kind) {
    case 'waiting':
      return nextOfWaiting(state, event, now, times)
    case 'idle':
      return nextOfIdle(state, event, now, times)
    case 'leaving':
      return nextOfLeaving(state, event, now)
    case 'closed':
      return event.kind === 'poll' ? { state, answer: { poll: event.poll, bytes: NONE } } : { state }
  }
}

type In<P, K extends PollState<P>['kind']> = Extract<PollState<P>, { kind: K }>

const nextOfWaiting = <P>(state: In<P, 'waiting'>, event: PollEvent<P>, now: number, times: PollTimes): PollStep<P> => {
  const { poll } = state
  const idle = { kind: 'idle', bytes: NONE, deadline: now + times.pollGapMs } as const
  switch (event.kind) {
    case 'poll':
      return { state: { kind: 'waiting', poll: event.poll, deadline: now + times.pollTimeoutMs }, answer: { poll, bytes: NONE } }
    case 'bytes':
      return { state: idle, answer: { poll, bytes: [event.bytes] } }
    case 'gone':
      return { state: event.poll === poll ? idle : state }
    case 'end':
    case 'lost':
      return { state: CLOSED, answer: { poll, bytes: NONE } }
    case 'tick':
      return now < state.deadline ? { state } : { state: idle, answer: { poll, bytes: NONE } }
    case 'probe':
      return { state: idle, answer: { poll, bytes: NONE } }
  }
}

const nextOfIdle = <P>(state: In<P, 'idle'>, event: PollEvent<P>, now: number, times: PollTimes): PollStep<P> => {
  const { bytes } = state
  switch (event.kind) {
    case 'poll':
      return bytes.length > 0
        ? { state: { kind: 'idle', bytes: NONE, deadline: now + times.pollGapMs }, answer: { poll: event.poll, bytes } }
        : { state: { kind: 'waiting', poll: event.poll, deadline: now + times.pollTimeoutMs } }
    case 'bytes':
      return { state: { ...state, bytes: [...bytes, event.bytes] } }
    case 'end':
      return { state: bytes.length > 0 ? { kind: 'leaving', bytes, deadline: now + times.pollGapMs } : CLOSED }
    case 'lost':
      return { state: CLOSED }
    case 'tick':
      return { state: now < state.deadline ? state : CLOSED }
    case 'gone':
    case 'probe':
      return { state }
  }
}

const nextOfLeaving = <P>(state: In<P, 'leaving'>, event: PollEvent<P>, now: number): PollStep<P> => {
  switch (event.kind) {
    case 'poll':
      return { state: CLOSED, answer: { poll: event.poll, bytes: state.bytes } }
    case 'lost':
      return { state: CLOSED }
    case 'tick':
      return { state: now < state.deadline ? state : CLOSED }
    case 'bytes':
    case 'gone':
    case 'end':
    case 'probe':
      return { state }
  }
}
