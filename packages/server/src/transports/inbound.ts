import type { Peer } from '@fusewire/engine'
import { acceptClientMessage, type Codec, FusewireError, type Payload } from '@fusewire/protocol'

const refusalOf = (thrown: unknown): FusewireError =>
  thrown instanceof FusewireError ? thrown : new FusewireError('internal_error', undefined, { cause: thrown })

/** Decodes a payload and hands its messages to the peer in their order; what cannot be accepted is rejected, each for itself. */
export const deliver = (peer: Peer, codec: Codec, payload: Payload, maxDepth: number): void => {
  let values: unknown[]
  try {
    values = codec.decode(payload, maxDepth)
  } catch (error) {
    peer.reject(refusalOf(error))
    return
  }
  // As large as the payload together, so that none of them passes for nothing.
  const bytes = (typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength) / values.length
  for (const value of values) deliverValue(peer, value, maxDepth, bytes)
}

const deliverValue = (peer: Peer, value: unknown, maxDepth: number, bytes: number): void => {
  let message: ReturnType<typeof acceptClientMessage>
  try {
    message = acceptClientMessage(value, maxDepth)
  } catch (error) {
    peer.reject(refusalOf(error))
    return
  }
  peer.receive(message, bytes)
}
