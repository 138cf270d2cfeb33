import type { Attendance } from './attendance.ts'
import type { HookNotices } from './hook-notices.ts'
import type { SessionRecord } from './ports/session-store.ts'
import type { SessionEnd } from './session.ts'
import type { Counters } from './stats.ts'

export interface SessionEndsPorts {
  readonly attendance: Attendance
  readonly notices: HookNotices
  readonly counters: Counters
}

/** Has everyone know that a session has ended for good, whichever node it was on. */
export class SessionEnds {
  readonly #ports: SessionEndsPorts

  constructor(ports: SessionEndsPorts) {
    this.#ports = ports
  }

  /**
   * Ends its presence, and then tells the application. Rejects when the presence store does, and nobody has been told of the end then: it
   * can be done again, and what is told again has the same ids.
   */
  async conclude(record: SessionRecord, reason: SessionEnd): Promise<void> {
    const { attendance } = this.#ports
    await Promise.all(record.subscriptions.map(({ channel, member }) => member && attendance.part(channel, member)))
    this.tell(record, reason)
  }

  /** Tells the application alone. */
  tell(record: SessionRecord, reason: SessionEnd): void {
    const { notices, counters } = this.#ports
    for (const { channel } of record.subscriptions)
      notices.unsubscribed(record, channel, 'session_ended', `${record.id}.end.${printable(channel)}`)
    notices.disconnected(record, reason, `${record.id}.end`)
    if (reason === 'expired') counters.sessionsExpired++
  }
}

/** A name as a header of HTTP can carry it: two names never become one. */
const printable = (name: string): string => name.replaceAll(/[^\w:./-]/gu, (letter) => `%${letter.codePointAt(0)?.toString(16)};`)
