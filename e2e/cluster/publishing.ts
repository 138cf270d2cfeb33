import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '@fusewire/testkit'
import type { Api } from '../api.ts'
import { isForClients, type Stream } from '../faults/stream.ts'
import type { Place } from '../faults/told.ts'
import type { Participant } from './field.ts'

const PAUSE_MS = 60
const RETRY_MS = 50

/** What publishers have met with. */
export interface PublishingReport {
  /** Publications that were acknowledged, of the API and of clients. */
  acknowledged: number
  /** Answers that said no, and may be tried again: the broker is away, the node has gone. */
  refused: number
  /** What no fault explains. */
  readonly problems: string[]
}

/** A refusal that a client may try again: no answer at all, an overload, a broker that is away. */
const isPassing = (message: string): boolean => !/: [45]\d\d /u.test(message) || /: (429|503) /u.test(message)

/** Publishes once, and repeats it with the same key until it has an answer. Undefined when it was told to stop before. */
export const publishSurely = async (
  api: Api,
  stream: Stream,
  data: unknown,
  report: PublishingReport,
  stop?: AbortSignal,
): Promise<Place | undefined> => {
  const key = randomUUID()
  stream.journal.begin(data)
  while (!stop?.aborted) {
    try {
      const { position } = await api.publish(stream.name, data, { key, ...(stream.isState && { patch: true }) })
      try {
        stream.journal.acknowledge(position, data)
      } catch (error) {
        report.problems.push(`${stream.name}: ${(error as Error).message}`)
      }
      report.acknowledged++
      return position
    } catch (error) {
      const { message } = error as Error
      if (isPassing(message)) report.refused++
      else report.problems.push(message)
      await delay(RETRY_MS)
    }
  }
  return undefined
}

/** Publishes to every stream by the API, over any of the nodes, and from every client that can, until it is stopped. */
export const publishAll = async (
  api: Api,
  streams: readonly Stream[],
  participants: readonly Participant[],
  random: Random,
  report: PublishingReport,
  stop: AbortSignal,
): Promise<void> => {
  const byApi = streams.map(async (stream) => {
    const by = randomUUID()
    for (let n = 0; !stop.aborted; n++) {
      const data = stream.isState ? { by, n, [`member${n % 10}`]: n % 7 === 0 ? null : { n } } : { by, n }
      await publishSurely(api, stream, data, report, stop)
      await delay(random.integer(0, PAUSE_MS))
    }
  })
  const forClients = streams.filter(isForClients)
  const byClients = participants.map(async ({ subscriber, name }) => {
    // Their wait for one answer must not hold up the end: a client repeats it for as long as it is there.
    for (let n = 0; !stop.aborted && subscriber.publish; n++) {
      const data = { by: `${name} ${randomUUID()}`, n }
      const stream = random.pick(forClients)
      stream.journal.begin(data)
      const answer = subscriber.publish(stream, data).then(
        (place) => {
          stream.journal.acknowledge(place, data)
          report.acknowledged++
        },
        () => {
          report.refused++
        },
      )
      await Promise.race([answer.catch((error: Error) => report.problems.push(`${name}: ${error.message}`)), stopped(stop)])
      await delay(random.integer(0, 10 * PAUSE_MS))
    }
  })
  await Promise.all([...byApi, ...byClients])
}

const stopped = (stop: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (stop.aborted) resolve()
    else stop.addEventListener('abort', () => resolve(), { once: true })
  })
