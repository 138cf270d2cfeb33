import type { Msg, MsgHdrs } from '@nats-io/transport-node'
import { JETSTREAM_CODES, JetStreamError } from './nats-error.ts'
import { answerOf } from './stream-api.ts'

/**
 * How long the server remembers which messages it has, in milliseconds: longer than two that are on their way to its replicas at the
 * same time can lie apart.
 */
export const DUPLICATE_WINDOW_MS = 10_000

const EXPECTED = 'Nats-Expected-Last-Subject-Sequence'
const MESSAGE_ID = 'Nats-Msg-Id'

/**
 * Has a message kept only when `after` is the newest sequence of its subject.
 *
 * With several replicas that alone is not enough: servers before 2.9.21 look at it when a message comes to them, and not again when the
 * replicas have agreed on it (https://github.com/nats-io/nats-server/issues/4320), and newer ones remember what is on its way only as
 * long as the same server leads the stream. Then several may be kept behind the same one. So the message's id is what it follows, which
 * no other subject has: of several with the same id a stream keeps one.
 */
export const expecting = (fields: MsgHdrs, after: number, isReplicated: boolean): MsgHdrs => {
  fields.set(EXPECTED, String(after))
  // That there is none yet every server looks at again; and what was purged may begin again at once.
  if (isReplicated && after > 0) fields.set(MESSAGE_ID, String(after))
  return fields
}

/**
 * The sequence of the message that was kept, or `conflict` when another one is the newest of its subject: which may be this one, sent
 * before. Throws {@link JetStreamError}; see {@link isBeingDecided}.
 */
export const keptAt = (answer: Msg): number | 'conflict' => {
  const { wrongLastSequence, wrongLastSequenceConstant, duplicateInProcess } = JETSTREAM_CODES
  try {
    const { seq, duplicate = false } = answerOf(answer) as { readonly seq: number; readonly duplicate?: boolean }
    if (duplicate && seq === 0) throw new JetStreamError(duplicateInProcess, 'another one behind the same is on its way')
    return duplicate ? 'conflict' : seq
  } catch (error) {
    const code = error instanceof JetStreamError ? error.code : undefined
    if (code === wrongLastSequence || code === wrongLastSequenceConstant) return 'conflict'
    throw error
  }
}

/** One with the same id is on its way to the replicas: whether it is kept is known soon. */
export const isBeingDecided = (error: unknown): boolean =>
  error instanceof JetStreamError && error.code === JETSTREAM_CODES.duplicateInProcess
