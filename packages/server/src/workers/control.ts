import type { ConfigurationProblem } from '../config/configuration-error.ts'
import type { FusewireOptions } from '../config/options.ts'
import type { TicketSeed } from '../tls/ticket-secret.ts'

/** Where a worker finds its lines to the primary: sockets that were there before it, and that nobody else can reach. */
export const CONTROL_FD = 3
export const HUB_FD = 4

/** What a worker is told at first. */
export interface Welcome {
  /** Its number, from 1. A worker that takes the place of another has the same. */
  readonly worker: number
  /** As the primary has resolved them, with the ports that it has chosen: all workers have the same, whatever has become of the file. */
  readonly options: FusewireOptions
  /** Whether the primary has the broker, at {@link HUB_FD}. */
  readonly hasHub: boolean
  /** So that each worker resumes the TLS sessions of all. */
  readonly ticketSeed: TicketSeed
}

/** What the primary tells a worker, by name. */
export interface ToWorker {
  welcome: readonly [Welcome]
  /** Leave well. */
  drain: readonly []
  /** Leave now. */
  close: readonly []
  /** Read the certificate files again. */
  reload: readonly []
  /** Is it alive? */
  ping: readonly []
  /** Asks for the worker's own metrics. */
  collect: readonly [question: number]
  /** The metrics of the whole server, which the worker has asked for. */
  gathered: readonly [question: number, text: string]
}

/** Why a worker could not begin to serve. */
export interface FailedStart {
  readonly message: string
  /** Where in the worker it was, when that is a defect. */
  readonly stack?: string
  /** Of a `ConfigurationError`: trying again changes nothing. */
  readonly problems?: readonly ConfigurationProblem[]
}

/** What a worker tells the primary, by name. */
export interface ToPrimary {
  /** With the version of the program that it runs. */
  hello: readonly [version: string]
  /** It listens. */
  serving: readonly []
  failed: readonly [FailedStart]
  pong: readonly []
  /** Somebody has asked for the whole server to leave. */
  drain: readonly []
  /** Asks for the metrics of the whole server. */
  gather: readonly [question: number]
  collected: readonly [question: number, text: string]
}

/** Functions for the messages of one direction. */
export type ControlHandlers<Messages extends Record<keyof Messages, readonly unknown[]>> = {
  readonly [Name in keyof Messages]: (...values: Messages[Name]) => void
}
