import { signal } from '@preact/signals'
import { client } from './client.ts'
import { type AuditCounts, OffsetAudit } from './offset-audit.ts'

const book = new OffsetAudit()

/** What the page has counted since it was opened. */
export const auditCounts = signal<AuditCounts>(book.counts)

/** The page's own check of the promise, fed with what the rooms are given. */
export const audit = {
  received(channel: string, offset: number): void {
    book.received(channel, offset)
    auditCounts.value = book.counts
  },
}

// A first subscription starts the count; so does one that was told openly that something could not be recovered.
client.on('message', (message) => {
  if (message.type !== 'subscribed' || message.recovered === true) return
  const [first] = message.publications ?? []
  book.startAt(message.channel, first ? first.offset - 1 : message.position.offset)
})
