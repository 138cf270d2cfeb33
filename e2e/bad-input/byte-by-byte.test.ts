import { FaultProxy } from '@fusewire/testkit'
import { describe } from 'vitest'
import { harmTest } from '../bystanders.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { join, until } from '../wire/way.ts'
import { WAYS } from '../wire/ways.ts'

// With the deadlines that people have: a thousand small packets take a busy machine a while.
const it = harmTest(DEVELOPMENT)

describe('a client that sends byte by byte, from its TLS handshake on', () => {
  it.for(WAYS)('is served like any other at $name', async (way, { server, api, onTestFinished }) => {
    const [secure, clear] = await Promise.all([FaultProxy.start(server.httpsPort), FaultProxy.start(server.httpPort)])
    for (const line of [secure, clear]) line.inject({ kind: 'fragment', bytes: 1 })
    onTestFinished(async () => {
      await Promise.all([secure.close(), clear.close()])
    })
    const client = await way.open({ https: `https://localhost:${secure.port}`, http: `http://localhost:${clear.port}` })
    onTestFinished(() => client.destroy())
    const channel = `trickle:${WAYS.indexOf(way)}`
    await join(client, channel)
    client.send({ type: 'publish', id: 7, channel, data: 'byte by byte' })
    await until(client, 'result', { id: 7 })
    await api.publish(channel, 'as ever')
    await until(client, 'publication', { data: 'as ever' })
  })
})
