import { once } from 'node:events'
import type { Socket } from 'node:net'
import { eventually } from '@fusewire/testkit'
import { describe, expect, it } from 'vitest'
import { openTcp, openTls, readAll, writeByteByByte } from '../../listener/testing/raw-client.ts'
import type { RecordingPeer } from '../testing/recording-engine.ts'
import { type StartedSockets, startTestSockets } from '../testing/start-sockets.ts'

const WAYS = ['TLS', 'cleartext'] as const
const open = (way: (typeof WAYS)[number], { tlsPort, port }: StartedSockets): Promise<Socket> =>
  way === 'TLS' ? openTls(tlsPort, ['fusewire/1']) : openTcp(port)

const PING = '{"type":"ping"}\n'
const PONG = '{"type":"pong"}\n'

/** A connection that has been heard of, and its peer. */
const connect = async (way: (typeof WAYS)[number], started: StartedSockets): Promise<{ socket: Socket; peer: RecordingPeer }> => {
  const socket = await open(way, started)
  const answered = readAll(socket, (text) => text.endsWith(PONG))
  socket.write(PING)
  await answered
  socket.removeAllListeners('data')
  const peer = started.context.engine.peers.at(-1)
  if (!peer) throw new Error('no connection')
  return { socket, peer }
}

describe.each(WAYS)('raw TCP over %s', (way) => {
  it('carries a message a line, both ways', async () => {
    const started = await startTestSockets()
    const socket = await open(way, started)
    const answer = readAll(socket)
    socket.end('{"type":"echo","data":1}\r\n{"type":"echo","data":"é"}\n{"type":"echo"}')
    expect(await answer).toBe(
      Buffer.from('{"type":"echo","data":1}\n{"type":"echo","data":"é"}\n{"type":"echo"}\n').toString('latin1'),
    )
    const [peer] = started.context.engine.peers
    expect(peer?.connection).toMatchObject({ transport: 'tcp', remoteAddress: '127.0.0.1', format: { name: 'ndjson' } })
    await eventually(() => expect(peer?.ends).toBe(1))
  })

  it('takes lines byte by byte', async () => {
    const started = await startTestSockets()
    const socket = await open(way, started)
    const answer = readAll(socket)
    await writeByteByByte(socket, `{"type":"echo","data":"é"}\n${PING}`)
    socket.end()
    expect(Buffer.from(await answer, 'latin1').toString()).toBe(`{"type":"echo","data":"é"}\n${PONG}`)
  })

  it('rejects lines that cannot be accepted, and goes on with the next', async () => {
    const started = await startTestSockets({ maxMessageBytes: 100 })
    const { socket, peer } = await connect(way, started)
    for (const line of ['{', '[]', `{"x":"${'x'.repeat(200)}"}`, Buffer.from([0x7b, 0xff])])
      socket.write(Buffer.concat([Buffer.from(line as string), Buffer.from('\n')]))
    socket.write(PING)
    await eventually(() => expect(peer.received).toHaveLength(2))
    expect(peer.rejected.map(({ code }) => code)).toEqual([
      'malformed_message',
      'malformed_message',
      'message_too_large',
      'malformed_message',
    ])
    socket.destroy()
  })

  it('takes blank lines for signs of life', async () => {
    const { socket, peer } = await connect(way, await startTestSockets())
    socket.write('\n\r\n')
    await eventually(() => expect(peer.signs).toBe(2))
    expect(peer.rejected).toEqual([])
    socket.destroy()
  })

  it('probes by a blank line, which is a sign of life when the stream has taken it', async () => {
    const { socket, peer } = await connect(way, await startTestSockets())
    const line = once(socket, 'data')
    peer.connection.probe?.()
    expect(String((await line)[0])).toBe('\n')
    await eventually(() => expect(peer.signs).toBe(1))
    socket.destroy()
  })

  it('ends after what was sent before', async () => {
    const { socket, peer } = await connect(way, await startTestSockets())
    const rest = readAll(socket)
    peer.send({ type: 'pong' })
    peer.connection.close('disconnected', '')
    peer.connection.close('disconnected', '')
    peer.send({ type: 'pong' })
    peer.connection.probe?.()
    expect(await rest).toBe(PONG)
    socket.end()
    await eventually(() => expect(peer.ends).toBe(1))
  })

  it('ignores what comes after its end', async () => {
    const { socket, peer } = await connect(way, await startTestSockets())
    peer.connection.close('disconnected', '')
    socket.write(PING)
    await readAll(socket)
    socket.end()
    await eventually(() => expect(peer.ends).toBe(1))
    expect(peer.received).toHaveLength(1)
  })

  it('still answers a client that has ended its side, for a moment', async () => {
    const { socket, peer } = await connect(way, await startTestSockets())
    const rest = readAll(socket)
    socket.end()
    await new Promise((resolve) => setImmediate(resolve))
    peer.send({ type: 'pong' })
    expect(await rest).toBe(PONG)
    await eventually(() => expect(peer.ends).toBe(1))
  })

  it('does not wait for a client that does not end its side', async () => {
    const { socket, peer } = await connect(way, await startTestSockets())
    peer.connection.close('heartbeat_timeout', '')
    await eventually(() => expect(peer.ends).toBe(1))
    socket.destroy()
  })

  it('tells the end once when the line is cut', async () => {
    const started = await startTestSockets()
    const { socket, peer } = await connect(way, started)
    socket.destroy()
    await eventually(() => expect(peer.ends).toBe(1))
    peer.send({ type: 'pong' })
    peer.connection.probe?.()
    peer.connection.close('internal_error', '')
    expect(peer.ends).toBe(1)
    expect(started.context.traffic.tcp).toMatchObject({ connections: 0, opened: 1, bytesIn: PING.length, bytesOut: PONG.length })
  })

  it('cuts off a client that never reads, and holds no more than the limit', async () => {
    const started = await startTestSockets({ maxBufferedBytes: 100_000 })
    const { socket, peer } = await connect(way, started)
    socket.pause()
    let sent = 0
    const before = process.memoryUsage().arrayBuffers
    while (peer.ends === 0 && sent < 5000) {
      for (let i = 0; i < 5; i++, sent++) peer.send({ type: 'echo', data: 'x'.repeat(10_000) })
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(peer.ends).toBe(1)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60_000_000)
    expect(started.context.events).toEqual([
      { event: 'slow_consumer', details: { transport: 'tcp', remoteAddress: '127.0.0.1', bufferedBytes: expect.any(Number) } },
    ])
    socket.destroy()
  })
})
