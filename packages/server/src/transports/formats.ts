import type { FrameFormat } from '@fusewire/engine'
import { jsonCodec } from '@fusewire/protocol'

/** One JSON message a line: raw TCP, HTTP streaming and long polling share these bytes. */
export const ndjsonFormat: FrameFormat = {
  name: 'ndjson',
  encode: (message) => Buffer.from(`${jsonCodec.encode(message)}\n`),
}
