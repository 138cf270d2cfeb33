import { FusewireError } from '@fusewire/protocol'
import type { TransportContext } from '../transport-context.ts'
import type { BodyReader } from './body-reader.ts'
import type { HttpExchange } from './http-exchange.ts'
import type { SplitConnections } from './split-connections.ts'

export interface SendServices {
  readonly context: TransportContext
  readonly bodies: BodyReader
  readonly splits: SplitConnections
  readonly now: () => number
}

/**
 * `POST /send?connection=…&seq=…`: what a client sends on a split connection. 202 says that it was taken, or had been before;
 * answers to the messages come down the connection. A request that is refused leaves its number free for another attempt.
 */
export const serveSend = async (exchange: HttpExchange, { context, bodies, splits, now }: SendServices): Promise<void> => {
  const secret = exchange.query.get('connection') ?? ''
  if (!splits.get(secret)) throw new FusewireError('unknown_connection')
  const seq = readSeq(exchange.query.get('seq'))
  const body = await bodies.read(exchange, now())
  if (!body) return
  // It may have ended while the body was read.
  const connection = splits.get(secret)
  if (!connection) throw new FusewireError('unknown_connection')
  context.traffic[connection.transport].bytesIn += body.byteLength
  if (!connection.receive(seq, body.lines, body.byteLength)) throw new FusewireError('out_of_sequence')
  exchange.answer(202)
}

const readSeq = (text: string | null): number => {
  const seq = Number(text)
  if (text === null || !/^[1-9]\d*$/.test(text) || !Number.isSafeInteger(seq)) {
    throw new FusewireError('invalid_field', 'seq must be a number from 1, one more for each request')
  }
  return seq
}
