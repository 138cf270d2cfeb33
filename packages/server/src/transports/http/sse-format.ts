import type { FrameFormat } from '@fusewire/engine'
import { jsonCodec } from '@fusewire/protocol'

/** Two-way SSE: every message is a default event (`onmessage`) whose data is the message as JSON, which has no line breaks. */
export const sseFormat: FrameFormat = {
  name: 'sse',
  encode: (message) => Buffer.from(`data: ${jsonCodec.encode(message)}\n\n`),
}

/** A comment: ignored by EventSource, noticed by everything between. */
export const SSE_KEEP_ALIVE = Buffer.from(':\n\n')

export const SSE_HEADERS = { 'content-type': 'text/event-stream; charset=utf-8' } as const
