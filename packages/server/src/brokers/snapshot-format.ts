import type { SnapshotRecord } from '@fusewire/engine'
import { z } from 'zod'
import { fromJsonValue, toJsonValue } from './snapshot-values.ts'

/** Raised when an older reader would take a file for something else than it is. */
const VERSION = 1

const FORMAT = 'fusewire-snapshot'

/** A file that is not a whole snapshot of a version that this program reads. The message follows the name of the file. */
export class SnapshotUnreadable extends Error {
  override readonly name = 'SnapshotUnreadable'
}

/** The first line. Both are of one length, so that one can be written over the other in its place. */
export const headerLine = (isClean: boolean): string =>
  `{"format":"${FORMAT}","version":${VERSION},"clean":${isClean ? 'true ' : 'false'}}\n`

/** The last line, by which a file is known to be whole: how many records it has, and the CRC-32 of their lines. */
export const endLine = (records: number, crc32: number): string => `${JSON.stringify({ kind: 'end', records, crc32 })}\n`

export const recordLine = (record: SnapshotRecord): string => `${JSON.stringify(toJsonValue(record))}\n`

const header = z.object({ format: z.literal(FORMAT), version: z.int(), clean: z.boolean().optional() })

/**
 * Whether the snapshot was written by a server that published nothing after it.
 * @throws SnapshotUnreadable for a file that something else has written.
 */
export const readHeader = (line: string): { readonly isClean: boolean } => {
  const read = header.safeParse(parse(line))
  if (!read.success) throw new SnapshotUnreadable('was not written by Fusewire')
  if (read.data.version !== VERSION)
    throw new SnapshotUnreadable(
      `was written by another version of Fusewire (format ${read.data.version}; this one reads ${VERSION})`,
    )
  return { isClean: read.data.clean === true }
}

const position = z.object({ epoch: z.string(), offset: z.int() })
const publication = z.looseObject({ offset: z.int(), time: z.number(), data: z.unknown() })
const document = z.object({ value: z.unknown(), maxBytes: z.number(), time: z.number(), expiresAt: z.number() })
const line = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('life'), life: z.string(), generation: z.int() }),
  z.object({ kind: z.literal('key'), key: z.string(), position, expiresAt: z.number() }),
  z.object({
    kind: z.literal('stream'),
    channel: z.string(),
    epoch: z.string(),
    offset: z.int(),
    usedAt: z.number(),
    historyTtlMs: z.number(),
    document: document.exactOptional(),
  }),
  z.object({ kind: z.literal('publication'), publication, bytes: z.number() }),
  z.object({ kind: z.literal('end'), records: z.int(), crc32: z.int() }),
])

export type SnapshotLine = SnapshotRecord | { readonly kind: 'end'; readonly records: number; readonly crc32: number }

/** @throws SnapshotUnreadable */
export const readLine = (text: string, number: number): SnapshotLine => {
  const read = line.safeParse(fromJsonValue(parse(text)))
  if (!read.success) throw new SnapshotUnreadable(`is damaged in line ${number}`)
  // A publication has whatever fields its client may send, which were checked when it was published.
  return read.data as SnapshotLine
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
