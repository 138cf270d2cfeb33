import type { Environment, Log } from '@fusewire/engine'
import type { Backend } from '../brokers/backend.ts'
import type { Metrics } from '../metrics/create-metrics.ts'
import type { TicketSecret } from '../tls/ticket-secret.ts'

/** What tells one of several workers of a server from a server of its own. */
export interface WorkerRole {
  /** Its number, from 1. */
  readonly worker: number
  /** How many there are. */
  readonly workers: number
  /** What all workers make the keys of TLS session tickets from. */
  readonly ticketSecret: TicketSecret
  /** The backend that the workers share; absent when the options name one that each connects to. */
  readonly openBackend?: (context: { readonly node: string; readonly environment: Environment; readonly log: Log }) => Backend
  /** Has all workers leave. */
  drainAll(): void
  /** The metrics of all workers, when these are its own. */
  gather(own: Metrics): Metrics
}
