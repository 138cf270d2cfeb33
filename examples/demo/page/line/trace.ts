import type { Publication } from '@fusewire/client'
import { ROOMS, type RoomId } from '../rooms/rooms.ts'
import { client } from './client.ts'

/** Seconds of the past that the strip shows. */
export const TRACE_MS = 60_000

export const LANES: readonly RoomId[] = ROOMS.map(({ id }) => id)

/** One publication on the strip. */
export interface Mark {
  readonly at: number
  readonly lane: number
  /** It was published while the line was cut, and came afterwards. */
  readonly recovered: boolean
}

const marks: Mark[] = []
/** How far the server's clock is behind this one, as far as live publications show it. */
let skew: number | undefined

/** A hidden page draws nothing and forgets nothing: then this many marks are enough. */
const MAX_MARKS = 5000

/** What arrived within the strip's time, oldest first as it came. */
export const recentMarks = (now: number): readonly Mark[] => {
  const oldest = now - TRACE_MS
  while (marks[0] && marks[0].at < oldest) marks.shift()
  return marks
}

const laneOf = (channel: string): number => LANES.findIndex((id) => channel.startsWith(`${id}:`))

const add = (channel: string, { time }: Pick<Publication, 'time'>, recovered: boolean): void => {
  const now = Date.now()
  if (!recovered) skew = Math.min(skew ?? Number.POSITIVE_INFINITY, now - time)
  if (marks.length >= MAX_MARKS) marks.splice(0, MAX_MARKS / 5)
  // What was recovered is drawn where it belongs: at the time when it was published.
  marks.push({ at: recovered ? Math.min(now, time + (skew ?? 0)) : now, lane: laneOf(channel), recovered })
}

client.on('message', (message) => {
  if (message.type === 'publication') add(message.channel, message, false)
  else if (message.type === 'subscribed' && message.recovered === true) {
    for (const publication of message.publications ?? []) add(message.channel, publication, true)
  }
})
