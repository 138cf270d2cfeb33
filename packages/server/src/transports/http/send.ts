import type { TransportName } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import type { TransportContext } from '../transport-context.ts'
import type { BodyReader } from './body-reader.ts'
import type { HttpExchange } from './http-exchange.ts'
import type { ForwardedSend, OtherNodes } from './other-nodes.ts'
import type { SplitConnections } from './split-connections.ts'

export interface SendServices {
  readonly context: TransportContext
  readonly bodies: BodyReader
  readonly splits: SplitConnections
  /** Absent where there is no other node. */
  readonly others: OtherNodes | undefined
  readonly now: () => number
}

/**
 * `POST /send?connection=…&seq=…`: what a client sends on a split connection. 202 says that it was taken, or had been before;
 * answers to the messages come down the connection. A request that is refused leaves its number free for another attempt.
 */
export const serveSend = async (exchange: HttpExchange, services: SendServices): Promise<void> => {
  const { bodies, splits, others, now } = services
  const connection = exchange.query.get('connection') ?? ''
  const owner = others && splits.ownerOf(connection)
  if (owner === undefined) splits.find(connection)
  else others?.assertHere(owner)
  const seq = readSeq(exchange.query.get('seq'))
  const body = await bodies.readBytes(exchange, now())
  if (!body) return
  if (owner === undefined) takeSend({ connection, seq, body }, services)
  else await others?.send(owner, { connection, seq, body })
  exchange.answer(202)
}

/** Hands what was sent on a connection of this node to its engine, whichever node the request has come to. */
export const takeSend = ({ connection, seq, body }: ForwardedSend, { context, bodies, splits }: SendServices): TransportName => {
  const { lines, byteLength } = bodies.decode(body)
  // It may have ended while the body was read.
  const split = splits.find(connection)
  context.traffic[split.transport].bytesIn += byteLength
  if (!split.receive(seq, lines, byteLength)) throw new FusewireError('out_of_sequence')
  return split.transport
}

const readSeq = (text: string | null): number => {
  const seq = Number(text)
  if (text === null || !/^[1-9]\d*$/.test(text) || !Number.isSafeInteger(seq)) {
    throw new FusewireError('invalid_field', 'seq must be a number from 1, one more for each request')
  }
  return seq
}
