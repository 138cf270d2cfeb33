import { createReadStream } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import type { SnapshotRecord } from '@fusewire/engine'
import { endLine, headerLine, readHeader, readLine, recordLine, SnapshotUnreadable } from './snapshot-format.ts'

/** Characters that are made and written at a time: the event loop waits for so many, and no longer. */
const CHUNK = 65_536

export interface SnapshotWriting {
  /** The mark of a clean end. */
  readonly isClean: boolean
  /** Asked when everything is written, right before it takes the place of what is there. Rejects when it may not. */
  readonly mayReplace: () => Promise<void>
}

/**
 * Writes a snapshot in the place of the one that is there, which stays whole until this one is, and for ever when this fails. Gives
 * its size in bytes. Records are read a few at a time.
 */
export const writeSnapshot = async (
  path: string,
  records: Iterable<SnapshotRecord>,
  { isClean, mayReplace }: SnapshotWriting,
): Promise<number> => {
  const temporary = `${path}.tmp`
  try {
    const file = await open(temporary, 'w', 0o600)
    let bytes: number
    try {
      bytes = await writeLines(file, records, isClean)
      await file.sync()
    } finally {
      await file.close()
    }
    await mayReplace()
    await rename(temporary, path)
    await syncFolder(dirname(path))
    return bytes
  } catch (error) {
    // A disk that is full has to get back what was written so far.
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}

const writeLines = async (file: FileHandle, records: Iterable<SnapshotRecord>, isClean: boolean): Promise<number> => {
  let [count, checksum, bytes] = [0, 0, 0]
  const write = async (text: string): Promise<Buffer> => {
    const chunk = Buffer.from(text)
    bytes += chunk.byteLength
    await file.writeFile(chunk)
    return chunk
  }
  await write(headerLine(isClean))
  let lines = ''
  const flush = async (): Promise<void> => {
    checksum = crc32(await write(lines), checksum)
    lines = ''
  }
  for (const record of records) {
    lines += recordLine(record)
    count++
    if (lines.length >= CHUNK) await flush()
  }
  await flush()
  await write(endLine(count, checksum))
  return bytes
}

/** Makes the new name of a file last: without it, a power failure may bring back the old one. Windows knows no such thing. */
const syncFolder = async (path: string): Promise<void> => {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Takes away the mark of a clean end, in place and for good: from now on the snapshot is behind what is published. */
export const markUnclean = async (path: string): Promise<void> => {
  const file = await open(path, 'r+')
  try {
    const header = Buffer.from(headerLine(false))
    await file.write(header, 0, header.byteLength, 0)
    await file.sync()
  } finally {
    await file.close()
  }
}

export interface Snapshot {
  readonly isClean: boolean
  /** Once. Throws {@link SnapshotUnreadable} where it is damaged, at its end at the latest. */
  readonly records: AsyncIterable<SnapshotRecord>
}

/**
 * Opens a snapshot. Undefined when there is no such file.
 * @throws SnapshotUnreadable, or what the system says.
 */
export const readSnapshot = async (path: string): Promise<Snapshot | undefined> => {
  const lines = readLines(path)
  try {
    const first = await lines.next()
    if (first.done) throw new SnapshotUnreadable('is empty')
    return { ...readHeader(first.value.toString()), records: readRecords(lines) }
  } catch (error) {
    await lines.return(undefined)
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function* readRecords(lines: AsyncIterable<Buffer>): AsyncGenerator<SnapshotRecord> {
  let [count, checksum, isWhole] = [0, 0, false]
  for await (const bytes of lines) {
    const line = readLine(bytes.toString(), count + 2)
    if (isWhole) throw new SnapshotUnreadable('goes on after its end')
    if (line.kind === 'end') {
      if (line.records !== count || line.crc32 !== checksum) throw new SnapshotUnreadable('is damaged: its checksum is wrong')
      isWhole = true
      continue
    }
    checksum = crc32(bytes, checksum)
    count++
    yield line
  }
  if (!isWhole) throw new SnapshotUnreadable('is not whole: its end is missing')
}

const LF = 0x0a

/** The lines of a file with their ends. Other separators than LF, which readline knows, may be inside of texts. */
async function* readLines(path: string): AsyncGenerator<Buffer, undefined> {
  let parts: Buffer[] = []
  for await (const chunk of createReadStream(path, { highWaterMark: 4 * CHUNK }) as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = chunk.indexOf(LF, from); end >= 0; end = chunk.indexOf(LF, from)) {
      parts.push(chunk.subarray(from, end + 1))
      yield parts.length === 1 ? (parts[0] ?? chunk) : Buffer.concat(parts)
      parts = []
      from = end + 1
    }
    if (from < chunk.length) parts.push(chunk.subarray(from))
  }
  if (parts.length > 0) yield Buffer.concat(parts)
  return undefined
}
