import type { Socket } from 'node:net'
import type { Blow } from './fault.ts'
import { Lane, type LaneContext } from './lane.ts'

/** How long the two sides have to answer an end with theirs before what is left of the connection goes. */
const LINGER_MS = 500

/** A connection of a client, and the one to the server that it goes on in. */
export class FaultyConnection {
  readonly #sockets: readonly [client: Socket, server: Socket]
  readonly #lanes: readonly [up: Lane, down: Lane]
  readonly #happened: LaneContext['happened']
  #linger: ReturnType<typeof setTimeout> | undefined

  constructor(client: Socket, server: Socket, context: Omit<LaneContext, 'truncated'>, onClosed: () => void) {
    this.#sockets = [client, server]
    this.#happened = context.happened
    const laneContext = { ...context, truncated: () => this.#end() }
    this.#lanes = [new Lane('up', client, server, laneContext), new Lane('down', server, client, laneContext)]
    const [up, down] = this.#lanes
    this.#watch(client, server, up, down, onClosed)
    this.#watch(server, client, down, up, onClosed)
  }

  /** Conditions have changed. */
  pump(): void {
    for (const lane of this.#lanes) lane.pump()
  }

  strike(blow: Blow): void {
    if (blow.kind === 'reset') {
      this.#happened('reset')
      this.destroy()
    } else if (blow.kind === 'cut') {
      this.#happened('cut')
      this.#end()
    } else for (const lane of this.#lanes) lane.strike(blow)
  }

  /** Resets both sides. Idempotent. */
  destroy(): void {
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy()
  }

  /** Both sides are told that this is the end; nothing of what they still say arrives. */
  #end(): void {
    for (const lane of this.#lanes) lane.end()
    for (const socket of this.#sockets) socket.end()
    this.#linger ??= setTimeout(() => this.destroy(), LINGER_MS)
  }

  /** `own` is the lane of what this socket sends, `others` that of what it is sent. */
  #watch(socket: Socket, other: Socket, own: Lane, others: Lane, onClosed: () => void): void {
    let isReset = false
    socket.on('error', () => {
      isReset = true
    })
    socket.on('end', () => {
      if (other.destroyed) socket.destroy()
    })
    socket.on('close', () => {
      const isUnheard = own.isSilent && !other.readableEnded
      others.end()
      if (other.destroyed) {
        clearTimeout(this.#linger)
        own.end()
        onClosed()
      }
      // Of a line that swallows everything the other side hears nothing, until it finds out for itself.
      else if (isUnheard) return
      else if (isReset) other.resetAndDestroy()
      else other.destroy()
    })
  }
}
