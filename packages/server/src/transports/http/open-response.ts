import type { HttpExchange } from './http-exchange.ts'
import { ResponseConnection, type ResponseServices, type ResponseShape } from './response-connection.ts'
import { SplitConnection, type SplitConnectionLimits, type SplitConnections } from './split-connections.ts'

export interface SplitServices extends ResponseServices {
  readonly splits: SplitConnections
  readonly splitLimits: SplitConnectionLimits
}

/** Opens a connection in both directions: the response goes down, and numbered requests, which carry its secret, go up. */
export const openSplitResponse = (exchange: HttpExchange, shape: ResponseShape, services: SplitServices): SplitConnection => {
  const { context, splits, splitLimits } = services
  const connection = new ResponseConnection(exchange, shape, services)
  const secret = splits.newSecret()
  connection.send(shape.format.encode({ type: 'open', connection: secret }))
  const peer = context.open(connection)
  const split = new SplitConnection(shape.transport, peer, splitLimits)
  splits.add(secret, split)
  connection.attach(peer, () => splits.remove(secret))
  return split
}
