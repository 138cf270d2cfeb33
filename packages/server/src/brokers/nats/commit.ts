import type { Published, PublishOptions } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import type { ChannelLog } from './channel-log.ts'
import { encodeRecord } from './channel-record.ts'
import { unavailable } from './nats-error.ts'
import { COUNT_FIRST, nextRecord, type Outcome, type Request, type Step, type Surroundings } from './next-record.ts'

/** A publication that waits for its answer. */
export interface WaitingPublish extends Request {
  readonly deadline: number
  readonly resolve: (published: Published) => void
  readonly reject: (error: unknown) => void
}

/** Carries out publications that have waited together, in as few records as they fit into, and answers each of them. Never rejects. */
export const commit = async (log: ChannelLog, requests: readonly WaitingPublish[]): Promise<void> => {
  for (let waiting = requests; waiting.length > 0; ) {
    try {
      const outcomes = await commitSome(log, waiting)
      for (const [index, outcome] of outcomes.entries()) {
        const request = waiting[index]
        if (request) settle(request, outcome)
      }
      waiting = waiting.slice(outcomes.length)
    } catch (error) {
      for (const request of waiting) request.reject(error)
      return
    }
  }
}

/** One record for the first of them, however often others are faster. The outcomes of as many as there was room for. */
const commitSome = async (log: ChannelLog, requests: readonly WaitingPublish[]): Promise<readonly Outcome[]> => {
  const { stream } = log.context
  const deadline = Math.min(...requests.map((request) => request.deadline))
  let isCurrent = false
  for (;;) {
    if (performance.now() >= deadline) throw unavailable('the channel was busy for too long')
    // Most have nothing to wait for, and a promise that is awaited all the same costs a turn of its own.
    if (!log.isSettled) await log.settle(deadline)
    const needed = needs(log, requests)
    if (!stream.keeps(...needed)) await stream.keep(...needed)
    const { step, payload } = await fit(log, requests)
    const { record, outcomes, document } = step
    if (!record && !isCurrent && outcomes.some(({ kind }) => kind === 'refused')) {
      // What is written is compared by NATS; what is not may be refused for what others have changed since.
      await log.catchUp()
      isCurrent = true
      continue
    }
    if (!record || !payload) return outcomes
    const sequence = await log.write(record, payload, deadline)
    if (sequence === undefined) continue
    log.known.rememberDocument({ sequence, value: document })
    return outcomes
  }
}

/** The record for as many of the requests as fit into a message. */
const fit = async (log: ChannelLog, requests: readonly Request[]): Promise<{ step: Step; payload?: Uint8Array }> => {
  const { maxRecordBytes } = log.context.stream
  let together = requests
  for (let mayBeBase = true; ; ) {
    const step = await next(log, together, mayBeBase)
    if (!step.record) return { step }
    const payload = encodeRecord(step.record)
    if (payload.length <= maxRecordBytes) return { step, payload }
    if (together.length > 1) together = together.slice(0, Math.ceil(together.length / 2))
    else if (mayBeBase && step.record.before) mayBeBase = false
    else {
      const message = `the publication is larger than a message of NATS may be (${maxRecordBytes} bytes, see its max_payload)`
      return { step: { ...step, outcomes: [{ kind: 'refused', error: new FusewireError('message_too_large', message) }] } }
    }
  }
}

/** Works out what to write, with whatever that needs to know. */
const next = async (log: ChannelLog, requests: readonly Request[], mayBeBase: boolean): Promise<Step> => {
  const { known, now } = log
  const { stream, environment, idempotencyTtlMs, recordId } = log.context
  const { head } = known
  const since = now - idempotencyTtlMs
  if (requests.some(({ options }) => options.idempotencyKey !== undefined)) await known.learnKeys(since)
  const around: Surroundings = {
    head,
    now,
    id: recordId(),
    newEpoch: head ? head.record.epoch : environment.id(),
    idempotencyTtlMs,
    usedAt: (key) => {
      const used = known.usedKey(key)
      return used && used.time > since ? used.position : undefined
    },
    document: head?.record.document && (await known.documentAt(head)),
    sizes: known.sizes,
    maxAgeMs: stream.maxAgeMs,
    mayBeBase,
  }
  const step = nextRecord(requests, around)
  if (step !== COUNT_FIRST) return step
  const counted = nextRecord(requests, { ...around, sizes: await known.countSizes() })
  if (counted === COUNT_FIRST) throw new RangeError('sizes that are known were asked for')
  return counted
}

/** How long records must be kept for these requests, in milliseconds, and how many. */
const needs = ({ known, context }: ChannelLog, requests: readonly Request[]): [ms: number, records: number] => [
  Math.max(...requests.map(({ options }) => lasts(options, context.idempotencyTtlMs))),
  Math.max(known.recordsWithKeys, ...requests.map(({ options }) => options.historySize)),
]

const lasts = ({ historySize, historyTtlMs, state, idempotencyKey }: PublishOptions, idempotencyTtlMs: number): number =>
  Math.max(historySize > 0 ? historyTtlMs : 0, state?.ttlMs ?? 0, idempotencyKey === undefined ? 0 : idempotencyTtlMs)

const settle = (request: WaitingPublish, outcome: Outcome): void => {
  if (outcome.kind === 'refused') request.reject(outcome.error)
  else request.resolve({ position: outcome.position, duplicate: outcome.kind === 'duplicate' })
}
