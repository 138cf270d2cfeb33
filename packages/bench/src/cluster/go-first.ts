import { readdirSync } from 'node:fs'
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

/** Linux has a priority for each thread, and those of the garbage collection are waited for. */
const give = (priority: number): void => {
  try {
    for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), priority)
  } catch {
    // Only the superuser may go first, and only Linux says which threads there are.
  }
}
