import { setPriority } from 'node:os'

const FIRST = -10
const USUAL = 0

/**
 * Lets this process go before those that it measures, as clients on machines of their own do. The answer takes that back, which has to
 * be done before a process is started that is not to go first. Does nothing where the system does not allow it.
 */
export const goFirst = (): (() => void) => {
  give(FIRST)
  return () => give(USUAL)
}

/**
 * Linux has a priority for each thread, and this is the main one's. Those that compile and collect garbage beside it are not to go
 * first: they take turns of several milliseconds, four at a time, and nodes and broker would wait for all of them.
 */
const give = (priority: number): void => {
  try {
    setPriority(process.pid, priority)
  } catch {
    // Only the superuser may go first.
  }
}
