import type { OpenTrial, Sample } from '../frame/scenario.ts'
import { type Candidate, type ReachableServer, reach } from './candidates.ts'

/** A load that is on a server, to be measured again and again. */
export interface Load {
  readonly measure: () => Promise<Sample>
  /** Leaves the server. */
  readonly close: () => void
}

/**
 * Starts the candidate's server and puts a load on it; both end together, and the server also where there can be no load. A measurement
 * fails when the server ends meanwhile.
 */
export const openLoad = async (candidate: Candidate, load: (server: ReachableServer) => Promise<Load>): Promise<OpenTrial> => {
  const server = await reach(candidate)
  const whileItRuns = <Result>(work: Promise<Result>): Promise<Result> =>
    server.process ? Promise.race([work, server.process.crashed]) : work
  try {
    const { measure, close } = await whileItRuns(load(server))
    const between = new BetweenWindows(server)
    return {
      measure: () => between.add(() => whileItRuns(measure())),
      close: async () => {
        try {
          close()
        } finally {
          await server.stop()
        }
      },
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** Starts the candidate's server for a measurement that puts its load on it and takes it away by itself. */
export const openOnce = (candidate: Candidate, measure: (server: ReachableServer) => Promise<Sample>): Promise<OpenTrial> =>
  openLoad(candidate, async (server) => ({ measure: () => measure(server), close: () => {} }))

/** What a server does while others are measured is in no window: collecting garbage, ending sessions. It is told beside them. */
class BetweenWindows {
  readonly #server: ReachableServer
  #cpuSeconds: number | undefined

  constructor(server: ReachableServer) {
    this.#server = server
  }

  /** Adds to the sample the CPU time since the last window, by that of this one. */
  async add(measure: () => Promise<Sample>): Promise<Sample> {
    const last = this.#cpuSeconds
    const begin = this.#server.process?.cpuSeconds()
    const sample = await measure()
    const end = this.#server.process?.cpuSeconds()
    this.#cpuSeconds = end
    if (last === undefined || begin === undefined || end === undefined) return sample
    return { ...sample, between: (begin - last) / (end - begin) }
  }
}
