/** Where an event leads to, and what is to be done on the way, in this order. */
export interface Move<State extends string, Effect extends string> {
  readonly to: State
  readonly effects: readonly Effect[]
}

/** Says of every state what every event means in it; `undefined` where the event cannot happen. */
export type TransitionTable<State extends string, Event extends string, Effect extends string> = Readonly<
  Record<State, Readonly<Record<Event, Move<State, Effect> | undefined>>>
>

/** An entry of a table. */
export const move = <State extends string, Effect extends string = never>(
  to: State,
  ...effects: readonly Effect[]
): Move<State, Effect> => ({ to, effects })

/** @throws for an event that cannot happen in this state: a mistake of the caller. */
export const nextMove = <State extends string, Event extends string, Effect extends string>(
  table: TransitionTable<State, Event, Effect>,
  state: State,
  event: Event,
): Move<State, Effect> => {
  const found = table[state][event]
  if (!found) throw new Error(`${event} while ${state}`)
  return found
}
