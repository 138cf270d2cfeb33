import type { Attendance } from './attendance.ts'
import { firstOf } from './first-of.ts'
import type { HookNotices } from './hook-notices.ts'
import type { SessionRecord } from './ports/session-store.ts'
import type { SessionEnd } from './session.ts'
import type { Counters } from './stats.ts'
import { isFinal } from './store-watch.ts'

export interface SessionEndsPorts {
  readonly attendance: Attendance
  readonly notices: HookNotices
  readonly counters: Counters
}

/** Sessions whose presence is ended at a time. */
const BATCH = 500

/** Sessions whose presence waits to be ended, at most; that of those beyond ends with its TTL. */
const MAX_LINGERING = 100_000

/** Has everyone know that a session has ended for good, whichever node it was on. */
export class SessionEnds {
  readonly #ports: SessionEndsPorts
  /** Sessions that have ended, and that the presence store has not let go of. */
  readonly #lingering = new Set<SessionRecord>()
  #parting: Promise<void> | undefined

  constructor(ports: SessionEndsPorts) {
    this.#ports = ports
  }

  /**
   * Ends its presence, and then tells the application. Rejects when the presence store does, and nobody has been told of the end then: it
   * can be done again, and what is told again has the same ids.
   */
  async conclude(record: SessionRecord, reason: SessionEnd): Promise<void> {
    await this.#part(record)
    this.#tell(record, reason)
  }

  /**
   * The same for one that nobody else sees to any more: where the presence store refuses, the application is told all the same, and the
   * presence is ended as soon as it can be. Never rejects.
   */
  async concludeAlone(record: SessionRecord, reason: SessionEnd): Promise<void> {
    try {
      await this.conclude(record, reason)
    } catch (error) {
      if (!isFinal(error) && this.#lingering.size < MAX_LINGERING) this.#lingering.add(record)
      this.#tell(record, reason)
    }
  }

  /** Tries again what the presence store has refused. To be called several times a second. Never rejects. */
  tick(): Promise<void> {
    if (this.#lingering.size > 0) this.#parting ??= this.#partAll()
    return this.#parting ?? Promise.resolve()
  }

  async #partAll(): Promise<void> {
    for (let isRefused = false; !isRefused && this.#lingering.size > 0; ) {
      await Promise.all(
        firstOf(this.#lingering, BATCH).map(async (record) => {
          try {
            await this.#part(record)
            this.#lingering.delete(record)
          } catch {
            isRefused = true
          }
        }),
      )
    }
    this.#parting = undefined
  }

  async #part({ subscriptions }: SessionRecord): Promise<void> {
    await Promise.all(subscriptions.map(({ channel, member }) => member && this.#ports.attendance.part(channel, member)))
  }

  /** Tells the application alone. */
  #tell(record: SessionRecord, reason: SessionEnd): void {
    const { notices, counters } = this.#ports
    for (const { channel, isPending } of record.subscriptions)
      if (!isPending) notices.unsubscribed(record, channel, 'session_ended', `${record.id}.end.${printable(channel)}`)
    notices.disconnected(record, reason, `${record.id}.end`)
    if (reason === 'expired') counters.sessionsExpired++
  }
}

/** A name as a header of HTTP can carry it: two names never become one. */
const printable = (name: string): string => name.replaceAll(/[^\w:./-]/gu, (letter) => `%${letter.codePointAt(0)?.toString(16)};`)
