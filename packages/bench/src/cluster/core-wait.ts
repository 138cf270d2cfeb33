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
