import { eventually } from '@fusewire/testkit'
import type { Api } from '../api.ts'
import type { Stream } from '../faults/stream.ts'
import type { Place, Told } from '../faults/told.ts'
import type { Participant } from './field.ts'
import type { ClusterNodes } from './nodes.ts'
import { type PublishingReport, publishSurely } from './publishing.ts'

/** From the last fault until everyone has everything: back-off, TTLs and the sweep included. */
export const SETTLE_TIMEOUT_MS = 30_000

/** Until a publication that was made after the fault has reached everyone, before another one is tried. */
const MARK_TIMEOUT_MS = 8_000

/** Where a subscriber stands in a stream. */
const placeOf = (told: readonly Told[]): Place | undefined => {
  const at = told.findLastIndex(({ kind }) => kind === 'subscribed')
  const subscribed = told[at]
  if (subscribed?.kind !== 'subscribed') return undefined
  const last = told.at(-1)
  return { epoch: subscribed.position.epoch, offset: last?.kind === 'publication' ? last.offset : subscribed.position.offset }
}

export interface Settling {
  readonly nodes: ClusterNodes
  readonly api: Api
  readonly streams: readonly Stream[]
  readonly participants: readonly Participant[]
  readonly report: PublishingReport
}

/** Waits until every node is ready and what is published now reaches everyone; what does not come about is a problem of the report. */
export const settle = async (after: string, { nodes, api, streams, participants, report }: Settling): Promise<void> => {
  const beganAt = performance.now()
  await nodes.untilReady().catch(() => report.problems.push(`after ${after}: a node is not ready`))
  const settleOne = async (stream: Stream): Promise<void> => {
    let behind: string[] = ['it cannot be published to']
    while (behind.length > 0 && performance.now() - beganAt < SETTLE_TIMEOUT_MS) {
      const data = { after, mark: performance.now() }
      const place = await publishSurely(api, stream, data, report, AbortSignal.timeout(MARK_TIMEOUT_MS))
      if (!place) continue
      const isThere = ({ subscriber }: Participant): boolean => {
        const at = placeOf(subscriber.told.get(stream) ?? [])
        return at !== undefined && at.epoch === place.epoch && at.offset >= place.offset
      }
      await eventually(
        () => {
          behind = participants
            .filter((each) => !isThere(each))
            .map(
              ({ name, subscriber }) =>
                `${name} is at ${JSON.stringify(placeOf(subscriber.told.get(stream) ?? []))} of ${JSON.stringify(place)}`,
            )
          return behind.length === 0
        },
        { timeoutMs: MARK_TIMEOUT_MS, intervalMs: 10 },
      ).catch(() => undefined)
    }
    if (behind.length > 0) report.problems.push(`after ${after}, ${stream.name}: ${behind.join('; ')}`)
  }
  await Promise.all(streams.map(settleOne))
}
