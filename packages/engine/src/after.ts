import type { Awaitable } from './ports/broker.ts'

/** `then` that stays in this turn when the value is here already. */
export const after = <T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> =>
  value instanceof Promise ? value.then(next) : next(value)
