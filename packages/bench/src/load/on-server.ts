import type { OpenTrial, Sample } from '../frame/scenario.ts'
import { type Candidate, type ReachableServer, reach } from './candidates.ts'

/** A load that is on a server, to be measured again and again. */
export interface OpenLoad {
  measure(): Promise<Sample>
  /** Leaves the server. */
  close(): void
}

/** Starts the candidate's server and opens a load on it; both end together, and where the load cannot be opened. */
export const openOnServer = async (
  candidate: Candidate,
  openLoad: (server: ReachableServer) => Promise<OpenLoad>,
): Promise<OpenTrial> => {
  const server = await reach(candidate)
  try {
    const load = await openLoad(server)
    const close = async (): Promise<void> => {
      load.close()
      await server.stop()
    }
    return { measure: load.measure, close }
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** Starts the candidate's server for one measurement, which opens its load and closes it. */
export const openServer = (candidate: Candidate, measure: (server: ReachableServer) => Promise<Sample>): Promise<OpenTrial> =>
  openOnServer(candidate, async (server) => ({ measure: () => measure(server), close: () => {} }))
