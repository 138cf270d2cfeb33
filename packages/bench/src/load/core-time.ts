import { readdirSync, readFileSync } from 'node:fs'

const NANOSECONDS = 1_000_000_000

/**
 * Seconds of CPU time that the threads of another process have used so far, user and system; undefined where the system does not tell.
 * Exact to the nanosecond of threads that wait, as those of a server do at the ends of a window, and up to a tick behind of those that
 * run. The ticks of `/proc/<pid>/stat` are too coarse for windows of some hundred milliseconds. Of threads that have ended it knows nothing.
 */
export const cpuSecondsOf = (pid: number): number | undefined => sumOfThreads(pid, ({ used }) => used)

/** Seconds that the main thread of a process has waited for a core so far; undefined where the system does not tell. */
export const coreWaitSecondsOf = (pid: number): number | undefined => {
  try {
    return scheduled(`/proc/${pid}`).waited
  } catch {
    return undefined
  }
}

/** The same of all its threads together: programs in Go have none that does the work. */
export const coreWaitSecondsOfThreads = (pid: number): number | undefined => sumOfThreads(pid, ({ waited }) => waited)

interface Scheduled {
  /** Seconds on a core. */
  readonly used: number
  /** Seconds with something to do and no core to do it on. */
  readonly waited: number
}

const scheduled = (folder: string): Scheduled => {
  const [used, waited] = readFileSync(`${folder}/schedstat`, 'utf8').split(' ')
  return { used: Number(used) / NANOSECONDS, waited: Number(waited) / NANOSECONDS }
}

const sumOfThreads = (pid: number, pick: (scheduled: Scheduled) => number): number | undefined => {
  try {
    const folder = `/proc/${pid}/task`
    const known = readdirSync(folder).flatMap((thread) => scheduledThread(`${folder}/${thread}`) ?? [])
    return known.length === 0 ? undefined : known.reduce((sum, thread) => sum + pick(thread), 0)
  } catch {
    return undefined
  }
}

/** Undefined of a thread that has just ended. */
const scheduledThread = (folder: string): Scheduled | undefined => {
  try {
    return scheduled(folder)
  } catch {
    return undefined
  }
}

/** Ticks of a second in /proc; Linux has 100 on every machine of today. */
const TICKS = 100

/** Seconds for which the hypervisor has given cores of this machine to others so far; undefined where the system does not tell. */
export const stolenSeconds = (): number | undefined => {
  try {
    const [, , , , , , , , stolen] = readFileSync('/proc/stat', 'utf8').split(/\s+/u)
    return Number(stolen) / TICKS
  } catch {
    return undefined
  }
}
