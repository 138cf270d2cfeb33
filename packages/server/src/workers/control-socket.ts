import type { Duplex } from 'node:stream'
import { type CloseReason, FrameSocket } from '../brokers/hub/frame-socket.ts'
import type { ControlHandlers } from './control.ts'

/** Metrics of a server with many series, times its workers; whoever leaves more unread does not work. */
const MAX_UNREAD_BYTES = 67_108_864

/** One end of the line on which a primary and a worker talk about the worker itself. */
export class ControlSocket<Out extends Record<keyof Out, readonly unknown[]>, In extends Record<keyof In, readonly unknown[]>> {
  readonly #socket: FrameSocket

  constructor(socket: Duplex, handlers: ControlHandlers<In>, onClosed: (reason: CloseReason) => void) {
    const known = new Map<string, (...values: never[]) => void>(Object.entries(handlers))
    this.#socket = new FrameSocket(
      socket,
      { message: ([name, ...values]) => known.get(name)?.(...(values as never[])), closed: onClosed },
      { maxUnreadBytes: MAX_UNREAD_BYTES },
    )
  }

  tell<Name extends keyof Out & string>(name: Name, ...values: Out[Name]): void {
    this.#socket.send(name, ...values)
  }

  /** Idempotent. */
  close(): void {
    this.#socket.close()
  }
}
