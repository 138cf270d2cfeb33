import { FusewireError, type ServerMessage } from '@fusewire/protocol'
import type { Connection, Frame } from './ports/connection.ts'

/** Throws `internal_error` when the message cannot be written. */
export const encodeMessage = ({ format }: Connection, message: ServerMessage): Frame => {
  try {
    return format.encode(message)
  } catch (cause) {
    // What was asked may be right; what an rpc handler or a token's info holds is not to be written.
    throw new FusewireError('internal_error', undefined, { cause })
  }
}
