import { clientFrame } from './client-frame.ts'
import { DIALECTS, type Dialect } from './dialect.ts'

/** How a client goes on with what it had. */
export interface Resumption {
  /** What it says. */
  readonly frames: readonly Buffer[]
  /** Whether the answers say that nothing is lost. */
  readonly isResumed: (told: string) => boolean
}

/** What a client needs of `connected` and `subscribed`, as they stand among the frames. */
const RESUME = /"resume":"([\w.-]+)"/u
const POSITION = /"position":(\{"epoch":"[\w.-]+","offset":\d+\})/u

/**
 * Reads what a client of JSON was told when it subscribed to its one channel, to come back with it. Undefined for the peers' dialects,
 * which have no sessions.
 */
export const resumption = (dialect: Dialect, told: string, channel: string): Resumption | undefined => {
  if (dialect !== DIALECTS.fusewire) return undefined
  const [, resume] = RESUME.exec(told) ?? []
  const [, position] = POSITION.exec(told) ?? []
  if (resume === undefined || position === undefined) throw new Error(`nothing to resume in ${told}`)
  return {
    frames: [
      clientFrame(`{"type":"connect","resume":"${resume}","subscriptions":[{"channel":"${channel}","since":${position}}]}`),
    ],
    isResumed: (answers) => answers.includes('"resumed":true') && answers.includes('"recovered":true'),
  }
}
