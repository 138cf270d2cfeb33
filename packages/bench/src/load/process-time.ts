import { readFileSync } from 'node:fs'

/** Ticks of a second in /proc; Linux has 100 on every machine of today. */
const TICKS = 100

/** Seconds of CPU time that a process has used so far, user and system; undefined where the system does not tell. */
export const cpuSecondsOf = (pid: number): number | undefined => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / TICKS
  } catch {
    return undefined
  }
}
