import { readFileSync } from 'node:fs'

/** Seconds that the main thread of a process has waited for a core so far; undefined where the system does not tell. */
export const coreWaitSecondsOf = (pid: number): number | undefined => {
  try {
    const [, waited] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')
    return Number(waited) / 1e9
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
