import { readdirSync, readFileSync } from 'node:fs'

/** Seconds that the main thread of a process has waited for a core so far; undefined where the system does not tell. */
export const coreWaitSecondsOf = (pid: number): number | undefined => {
  try {
    return waitedSeconds(`/proc/${pid}`)
  } catch {
    return undefined
  }
}

/** The same of all its threads together: programs in Go have none that does the work. */
export const coreWaitSecondsOfThreads = (pid: number): number | undefined => {
  try {
    const folder = `/proc/${pid}/task`
    return readdirSync(folder).reduce((sum, thread) => sum + waitedSeconds(`${folder}/${thread}`), 0)
  } catch {
    return undefined
  }
}

const waitedSeconds = (folder: string): number => {
  const [, waited] = readFileSync(`${folder}/schedstat`, 'utf8').split(' ')
  return Number(waited) / 1e9
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
