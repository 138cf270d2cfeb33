import type { ServerMessage } from '@fusewire/protocol'
import type { Frame, FrameFormat } from './ports/connection.ts'

/** A message for several connections, encoded once for each of their formats. */
export class SharedMessage {
  readonly #message: ServerMessage
  readonly #frames = new Map<FrameFormat, Frame>()

  constructor(message: ServerMessage) {
    this.#message = message
  }

  frame(format: FrameFormat): Frame {
    const known = this.#frames.get(format)
    if (known) return known
    const frame = format.encode(this.#message)
    this.#frames.set(format, frame)
    return frame
  }
}
