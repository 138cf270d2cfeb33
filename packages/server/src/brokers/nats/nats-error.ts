import { FusewireError } from '@fusewire/protocol'

/** The broker cannot be asked, or has not answered. */
export const unavailable = (message: string, cause?: unknown): FusewireError =>
  new FusewireError('broker_unavailable', message, cause === undefined ? undefined : { cause })

/** What JetStream answers instead of what was asked for. `code` is its `err_code`. */
export class JetStreamError extends Error {
  override readonly name = 'JetStreamError'
  readonly code: number

  constructor(code: number, description: string) {
    super(description)
    this.code = code
  }
}

/** `err_code`s of nats-server. */
export const JETSTREAM_CODES = {
  temporarilyUnavailable: 10_008,
  noMessage: 10_037,
  notEnabledForAccount: 10_039,
  messageTooLarge: 10_054,
  /** Of one that is to be deleted. */
  noSuchMessage: 10_057,
  streamExists: 10_058,
  streamNotFound: 10_059,
  wrongLastSequence: 10_071,
  replicasNotSupported: 10_074,
  notEnabled: 10_076,
  duplicateInProcess: 10_158,
  /** The same as `wrongLastSequence`, of newer servers. */
  wrongLastSequenceConstant: 10_164,
} as const

/** Nobody listens at the subject: there is no stream for it, or nobody leads it at the moment. */
export class NoRespondersError extends Error {
  override readonly name = 'NoRespondersError'
}
