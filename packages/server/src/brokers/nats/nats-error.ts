import { FusewireError } from '@fusewire/protocol'

/** The broker cannot be asked, or has not answered. */
export const unavailable = (message: string, cause?: unknown): FusewireError =>
  new FusewireError('broker_unavailable', message, cause === undefined ? undefined : { cause })

/** A stream has the name of one of ours, and is none of ours: somebody has to remove it, or choose another name. */
export class ForeignStreamError extends FusewireError {
  constructor(message: string) {
    super('broker_unavailable', message)
  }
}

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
  clusterIncomplete: 10_004,
  noSuitablePeers: 10_005,
  clusterNotActive: 10_006,
  clusterNotAssigned: 10_007,
  temporarilyUnavailable: 10_008,
  clusterNotLeader: 10_009,
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
  streamOffline: 10_118,
  duplicateInProcess: 10_158,
  /** The same as `wrongLastSequence`, of newer servers. */
  wrongLastSequenceConstant: 10_164,
} as const

/** Nobody listens at the subject: there is no stream for it, or nobody leads it at the moment. */
export class NoRespondersError extends Error {
  override readonly name = 'NoRespondersError'
}

const LEADERLESS = new Set<number>([JETSTREAM_CODES.temporarilyUnavailable, JETSTREAM_CODES.streamNotFound])

/** What was refused before it was carried out, and may not be in a moment: nobody leads the stream, or somebody has deleted it. */
export const isLeaderless = (error: unknown): boolean =>
  error instanceof NoRespondersError || (error instanceof JetStreamError && LEADERLESS.has(error.code))
