import type { Msg } from '@nats-io/transport-node'
import { JETSTREAM_CODES, JetStreamError, NoRespondersError, unavailable } from './nats-error.ts'
import type { NatsSession } from './nats-session.ts'

const ENCODER = new TextEncoder()
const DECODER = new TextDecoder()
const NOT_FOUND = 404

/** One message as a stream keeps it. */
export interface StoredMessage {
  readonly sequence: number
  readonly data: Uint8Array
}

/** What a stream is made with, in the words of JetStream's API; durations are nanoseconds. */
export interface StreamConfiguration {
  readonly name: string
  readonly subjects: readonly string[]
  readonly storage: 'file' | 'memory'
  readonly num_replicas: number
  readonly max_age: number
  readonly max_msgs_per_subject: number
  readonly duplicate_window: number
  readonly republish?: { readonly src?: string; readonly dest?: string }
  readonly [option: string]: unknown
}

/** What a stream is. */
export interface StreamInformation {
  readonly config: StreamConfiguration
  /** When it was made; another one of the same name has another. */
  readonly created: string
  readonly state: { readonly messages: number; readonly first_seq: number; readonly last_seq: number }
}

interface ApiAnswer {
  readonly error?: { readonly err_code?: number; readonly code?: number; readonly description?: string }
}

/** What JetStream answers. Throws {@link JetStreamError} for an error. */
export const answerOf = (message: Msg): unknown => {
  const answer = JSON.parse(DECODER.decode(message.data)) as ApiAnswer
  if (answer.error) {
    const { err_code: errorCode, code = 0, description = 'unknown error' } = answer.error
    const advice =
      errorCode === JETSTREAM_CODES.replicasNotSupported ? '; leave natsReplicas out, or start a cluster of servers' : ''
    throw new JetStreamError(errorCode ?? code, `${description}${advice}`)
  }
  return answer
}

/**
 * Asks JetStream's API. Throws {@link JetStreamError}, `NoRespondersError` and `broker_unavailable`. What is asked while the servers hold an
 * election may never be answered: `timeoutMs` is for those who ask again.
 */
export const askJetStream = async (
  session: NatsSession,
  subject: string,
  question?: unknown,
  timeoutMs?: number,
): Promise<unknown> =>
  answerOf(
    await session.request(
      `$JS.API.${subject}`,
      question === undefined ? new Uint8Array() : ENCODER.encode(JSON.stringify(question)),
      undefined,
      timeoutMs,
    ),
  )

/** Throws `broker_unavailable` that says what is missing, when the server has no JetStream. */
export const assertJetStream = async (session: NatsSession): Promise<void> => {
  try {
    await askJetStream(session, 'INFO')
  } catch (error) {
    const { notEnabled, notEnabledForAccount } = JETSTREAM_CODES
    const isOff = error instanceof JetStreamError && (error.code === notEnabled || error.code === notEnabledForAccount)
    if (isOff || error instanceof NoRespondersError)
      throw unavailable(
        `NATS at ${session.name} has no JetStream for us now; start nats-server with -js, or turn it on for the account`,
        error,
      )
    throw error
  }
}

/** Undefined when there is none. */
export const streamInformation = async (
  session: NatsSession,
  name: string,
  timeoutMs?: number,
): Promise<StreamInformation | undefined> => {
  try {
    return (await askJetStream(session, `STREAM.INFO.${name}`, undefined, timeoutMs)) as StreamInformation
  } catch (error) {
    if (error instanceof JetStreamError && error.code === JETSTREAM_CODES.streamNotFound) return undefined
    throw error
  }
}

export const createStream = async (session: NatsSession, configuration: StreamConfiguration): Promise<StreamInformation> =>
  (await askJetStream(session, `STREAM.CREATE.${configuration.name}`, configuration)) as StreamInformation

export const updateStream = async (session: NatsSession, configuration: StreamConfiguration): Promise<StreamInformation> =>
  (await askJetStream(session, `STREAM.UPDATE.${configuration.name}`, configuration)) as StreamInformation

/** Which message: the newest of a subject, or the one with a sequence. */
export type MessageQuery = { readonly last_by_subj: string } | { readonly seq: number }

/** From whichever server has the message; one that lags behind may not have it yet. Undefined when it is not there. */
export const directMessage = async (
  session: NatsSession,
  name: string,
  query: MessageQuery,
  timeoutMs: number,
): Promise<StoredMessage | undefined> => {
  const question = ENCODER.encode(JSON.stringify(query))
  const { headers, data } = await session.request(`$JS.API.DIRECT.GET.${name}`, question, undefined, timeoutMs)
  if (headers?.code === NOT_FOUND) return undefined
  const sequence = Number(headers?.get('Nats-Sequence'))
  if (!Number.isSafeInteger(sequence) || sequence <= 0)
    throw new JetStreamError(headers?.code ?? 0, headers?.description ?? 'a message without a sequence')
  return { sequence, data }
}

/** What the leader tells of one besides. */
export interface LeaderMessage extends StoredMessage {
  /** Its header fields, as they are on the wire. */
  readonly fields: string
  /** When it was written, in milliseconds since the epoch of the server. */
  readonly time: number
}

interface MessageAnswer {
  readonly message: { readonly seq: number; readonly hdrs?: string; readonly data?: string; readonly time: string }
}

/** From the server that leads the stream, which has whatever was acknowledged. Undefined when it is not there. */
export const leaderMessage = async (
  session: NatsSession,
  name: string,
  query: MessageQuery,
  timeoutMs: number,
): Promise<LeaderMessage | undefined> => {
  try {
    const { message } = (await askJetStream(session, `STREAM.MSG.GET.${name}`, query, timeoutMs)) as MessageAnswer
    const { seq, hdrs = '', data = '', time } = message
    return {
      sequence: seq,
      data: Buffer.from(data, 'base64'),
      fields: Buffer.from(hdrs, 'base64').toString('latin1'),
      time: Date.parse(time),
    }
  } catch (error) {
    if (error instanceof JetStreamError && error.code === JETSTREAM_CODES.noMessage) return undefined
    throw error
  }
}
