import type { Random } from '@fusewire/testkit'
import type { Stream } from './stream.ts'
import type { Place, Told } from './told.ts'

/** How the connections of a subscriber have gone. */
export interface Comings {
  /** Connections on which the server has answered. */
  connected: number
  /** Of those, the ones that found the session, and those after the first that did not. */
  resumed: number
  begunAnew: number
}

/** A client in the field that follows some channels, whatever happens to its line. */
export interface Subscriber {
  readonly told: ReadonlyMap<Stream, readonly Told[]>
  readonly comings: Comings
  /** Public ids of the sessions that it has had; the last is that of now. */
  readonly sessions: readonly string[]
  /** What the server or the client has done that is no lost line: each is a failure. */
  readonly problems: readonly string[]
  /**
   * Publishes, and tries until there is an answer. Rejects when the client gives up, and nobody knows whether it was published.
   * Absent where a client only listens.
   */
  publish?(stream: Stream, data: unknown): Promise<Place>
  /** Something that the client does by itself: it moves to another transport, or drops its line. */
  stir?(random: Random): void
  close(): Promise<void>
}

export const noComings = (): Comings => ({ connected: 0, resumed: 0, begunAnew: 0 })

/** Keeps the book about a `connected`. */
export const countSession = (sessions: string[], session: string): void => {
  if (sessions.at(-1) !== session) sessions.push(session)
}

export const countComing = (comings: Comings, resumed: boolean): void => {
  if (resumed) comings.resumed++
  else if (comings.connected > 0) comings.begunAnew++
  comings.connected++
}

/** The last offset that it was told of; undefined before the first `subscribed`. */
export const lastTold = (told: readonly Told[]): number | undefined => {
  const last = told.at(-1)
  return last?.kind === 'publication' ? last.offset : last?.position.offset
}
