import type { Connection } from '@fusewire/engine'
import { jsonCodec } from '@fusewire/protocol'
import { describe, expect, it } from 'vitest'
import { deliver } from './inbound.ts'
import { createTestContext } from './testing/test-context.ts'

const connection: Connection = {
  transport: 'tcp',
  format: { name: 'none', encode: () => Buffer.alloc(0) },
  remoteAddress: '',
  send: () => {},
  close: () => {},
}

const receive = (payload: string, maxDepth = 32) => {
  const { engine } = createTestContext()
  const peer = engine.open(connection)
  deliver(peer, jsonCodec, payload, maxDepth)
  return { received: peer.received, codes: peer.rejected.map(({ code }) => code) }
}

describe('deliver', () => {
  it('hands on the messages of a payload in their order', () => {
    expect(receive('{"type":"ping"}\n{"type":"echo","data":1}')).toEqual({
      received: [{ type: 'ping' }, { type: 'echo', data: 1 }],
      codes: [],
    })
  })

  it('rejects what cannot be accepted, and goes on with the rest', () => {
    expect(receive('{"type":"ping"}\n{"type":"no"}\n{"type":"ping"}')).toEqual({
      received: [{ type: 'ping' }, { type: 'ping' }],
      codes: ['unknown_type'],
    })
  })

  it('rejects a payload that cannot be decoded as a whole', () => {
    expect(receive('{"type":')).toEqual({ received: [], codes: ['malformed_message'] })
  })

  it('tells how large each message is: its share of the payload as it came', () => {
    const { engine } = createTestContext()
    const sizes: number[] = []
    const peer = Object.assign(engine.open(connection), {
      receive: (_message: unknown, bytes: number) => {
        sizes.push(bytes)
      },
    })
    deliver(peer, jsonCodec, '{"type":"echo","data":"čaj"}', 32)
    deliver(peer, jsonCodec, '{"type":"ping"}\n{"type":"echo","data":1}', 32)
    expect(sizes).toEqual([29, 20, 20])
  })

  it('rejects what is nested too deep', () => {
    expect(receive('{"type":"echo","data":[[[[1]]]]}', 3)).toEqual({ received: [], codes: ['message_too_deep'] })
  })
})
