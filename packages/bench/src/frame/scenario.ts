import type { DialectName } from '../load/dialect.ts'
import type { Address } from '../load/open-socket.ts'

/** Something that is measured. */
export interface Measure {
  /** Key in a {@link Sample}. */
  readonly name: string
  /** With its unit. */
  readonly title: string
  /** Digits behind the point in the table. */
  readonly digits: number
  /** True for a rate: the larger, the better. Of everything else less is better. */
  readonly isMoreBetter?: boolean
}

/** What one measurement has given, by names of measures. What the system does not tell is left out. */
export type Sample = Readonly<Record<string, number | undefined>>

/** A candidate that is up, with its load. */
export interface OpenTrial {
  /** Measures it once: for a window of time where it is one of several. */
  readonly measure: () => Promise<Sample>
  readonly close: () => Promise<void>
}

/** One candidate under one load, to be measured again and again. */
export interface Trial {
  /** What loads have in common that are compared: the names of candidates are different within a case. */
  readonly case: string
  /** Where the case stands in a drawing of growth. */
  readonly size?: number
  readonly candidate: string
  /** What the candidate is, in a line. */
  readonly description: string
  /** That the load has with it, 0 unless it says so: how many candidates can be up side by side depends on them. */
  readonly connections?: number
  /** Starts it, with a server of its own. */
  readonly open: () => Promise<OpenTrial>
}

/** A server elsewhere, which is measured beside the others. */
export interface ExternalServer {
  readonly address: Address
  /** Of the WebSocket; undefined for the dialect's own. */
  readonly path: string | undefined
  readonly dialect: DialectName
}

/** What the command line says about all scenarios. */
export interface RunOptions {
  readonly isQuick: boolean
  /** How long one measurement lasts, where it is one of time; undefined for the scenario's own. */
  readonly durationMs: number | undefined
  /** In place of the scenario's own numbers of clients. */
  readonly clients: number | undefined
  /** In place of the scenario's own sizes of messages. */
  readonly bytes: number | undefined
  readonly external: ExternalServer | undefined
  /** A file with the certificate and the key of every server with TLS. */
  readonly certificateFile: string
}

/** Options that some scenarios alone can follow: numbers of clients, sizes of messages, and a server elsewhere. */
export type ScenarioOption = 'clients' | 'bytes' | 'url'

export interface Scenario {
  readonly name: string
  /** What it does, in a few lines for the help. */
  readonly summary: string
  readonly measures: readonly Measure[]
  /** The measure that is compared and drawn first. */
  readonly main: string
  /** Draws the main measure by the sizes of cases, where it is one of growth. */
  readonly isGrowth?: boolean
  /** Rounds when the command line says nothing. Candidates are started anew in each. */
  readonly rounds: number
  /**
   * Measurements of a round. With more than one, the candidates of a case are up at the same time and are measured by turns, each in so
   * many windows of time; otherwise each is started, measured and ended by itself.
   */
  readonly windows?: number
  /** Options of the command line that mean something to it, besides those that all scenarios take. */
  readonly takes: readonly ScenarioOption[]
  plan(options: RunOptions): readonly Trial[]
}
