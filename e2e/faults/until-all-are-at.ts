import { eventually } from '@fusewire/testkit'
import { expect } from 'vitest'
import type { Stream } from './stream.ts'
import { lastTold, type Subscriber } from './subscriber.ts'

/** Waits until each subscriber has been told of each stream as far as `place` says, for each within the time. */
export const untilAllAreAt = async (
  subscribers: readonly Subscriber[],
  streams: readonly Stream[],
  place: (stream: Stream) => number,
  timeoutMs: number,
): Promise<void> => {
  for (const subscriber of subscribers)
    for (const stream of streams)
      await eventually(() => expect(lastTold(subscriber.told.get(stream) ?? [])).toBeGreaterThanOrEqual(place(stream)), {
        timeoutMs,
      })
}
