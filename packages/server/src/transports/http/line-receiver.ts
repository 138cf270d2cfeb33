import type { Peer } from '@fusewire/engine'
import { jsonCodec, type MessageError } from '@fusewire/protocol'
import { deliver } from '../inbound.ts'

/** Completes the last line of a body, which may have come without it. */
export const LINE_END = Uint8Array.of(0x0a)

/** A line of a request body, or why it could not be read. */
export type Line = string | MessageError

/** Hands one line to the engine: its message, or what is wrong with it. A blank line only says that the client is there. */
export const receiveLine = (peer: Peer, line: Line, maxDepth: number): void => {
  if (typeof line !== 'string') peer.reject(line)
  else if (line.trim() === '') peer.alive()
  else deliver(peer, jsonCodec, line, maxDepth)
}
