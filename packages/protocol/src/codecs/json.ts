import { MessageError } from '../decode.ts'
import type { Codec } from './codec.ts'

/** One JSON value a line; lines end with LF or CRLF; empty lines are skipped. */
export const jsonCodec: Codec = {
  name: 'json',
  frame: 'text',
  encode: (message) => JSON.stringify(message),
  join: (payloads) => payloads.join('\n'),
  decode: (payload) => {
    if (typeof payload !== 'string') throw new MessageError('malformed_message', 'JSON comes as text')
    const values: unknown[] = []
    for (const line of payload.split('\n')) {
      if (line.trim() === '') continue
      try {
        values.push(JSON.parse(line))
      } catch {
        throw new MessageError('malformed_message', 'not valid JSON')
      }
    }
    return values
  },
}
