import { eventually } from '@fusewire/testkit'
import { describe, expect, onTestFinished } from 'vitest'
import { harmTest } from '../bystanders.ts'
import { PRODUCTION, signToken } from '../server-variants.ts'
import { until } from '../wire/way.ts'
import { WAYS } from '../wire/ways.ts'

const LIMITS = { maxConnectionsPerUser: 4 }
const it = harmTest({ ...PRODUCTION, ...LIMITS })

describe('one user', () => {
  it.for(WAYS)('has maxConnectionsPerUser connections and no more, over $name', async (way, { server }) => {
    const user = `user of ${way.name}`
    const token = await signToken(user)
    const clients = await Promise.all(Array.from({ length: LIMITS.maxConnectionsPerUser + 1 }, () => way.open(server)))
    onTestFinished(() => {
      for (const client of clients) client.destroy()
    })
    const last = clients.pop()
    for (const client of clients) {
      client.send({ type: 'connect', token })
      await until(client, 'connected')
    }
    if (!last) throw new Error('there is one at least')
    onTestFinished(() => last.destroy())
    last.send({ type: 'connect', id: 1, token })
    expect(await until(last, 'error')).toMatchObject({ id: 1, code: 'too_many_connections', retryAfterMs: 10_000 })
    expect(await until(last, 'disconnect')).toMatchObject({ closeCode: 4006, reconnect: true })
    await eventually(() => expect(last.end).toBeDefined())
  })
})
