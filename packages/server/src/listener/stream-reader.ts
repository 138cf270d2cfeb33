import type { Duplex } from 'node:stream'

/** Whoever reads a stream at the moment. */
export interface StreamReader {
  read(bytes: Buffer): void
  /** The other side has ended its own. */
  end(): void
  /** Called once, after everything else. */
  closed(): void
}

/** Finds the reader of a stream, so that no connection needs listeners of its own. */
const READER = Symbol('StreamReader')

interface Read extends Duplex {
  [READER]?: StreamReader | undefined
}

/** Makes it the stream's reader, and has the stream flow. It takes the place of the one before, on the same listeners. */
export const readBy = (stream: Duplex, reader: StreamReader): void => {
  const read: Read = stream
  const isRead = read[READER] !== undefined
  read[READER] = reader
  if (isRead) return
  stream.on('data', onData)
  stream.on('end', onEnd)
  stream.on('close', onClose)
}

/** Its reader hears nothing more of the stream, which goes on flowing, for others to listen. */
export const readByNobody = (stream: Duplex): void => {
  const read: Read = stream
  if (read[READER] === undefined) return
  read[READER] = undefined
  stream.off('data', onData)
  stream.off('end', onEnd)
  stream.off('close', onClose)
}

function onData(this: Read, chunk: Buffer): void {
  this[READER]?.read(chunk)
}

function onEnd(this: Read): void {
  this[READER]?.end()
}

function onClose(this: Read): void {
  this[READER]?.closed()
}
