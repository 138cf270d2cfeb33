import { eventually } from '@fusewire/testkit'
import { expect, it, onTestFinished } from 'vitest'
import { Api } from './api.ts'
import { FusewireProcess } from './fusewire-process.ts'
import { HOOK_SECRET, HookServer } from './hook-backend.ts'
import { API_KEY, JWT_SECRET, PRODUCTION, signToken } from './server-variants.ts'
import { all, until } from './wire/way.ts'
import { WAYS } from './wire/ways.ts'

const URL_SECRET = 'secret-of-the-query'

it('the log of all levels, whatever goes well or wrong, has no token, key or secret', async () => {
  await using backend = await HookServer.start('HTTP/1.1')
  // Answers what it was asked: a failure that could be quoted.
  backend.decide = (question) => (question.event === 'connect' ? { decision: 'allow' } : question)
  const server = await FusewireProcess.start({
    ...PRODUCTION,
    logLevel: 'trace',
    sessionTtlMs: 500,
    hooks: [{ url: `${backend.url}?key=${URL_SECRET}`, events: ['connect', 'refresh', 'publish', 'rpc', 'disconnect'] }],
    hookSecrets: [HOOK_SECRET],
    hookBreakerFailures: 2,
    hookTimeoutMs: 500,
  })
  onTestFinished(async () => {
    await server.stop()
  })
  const api = new Api(server.http, API_KEY)
  const secrets = [API_KEY, JWT_SECRET, HOOK_SECRET, HOOK_SECRET.slice(6), URL_SECRET]
  const sign = async (...given: Parameters<typeof signToken>): Promise<string> => {
    const token = await signToken(...given)
    // Any part of it would tell: claims are only encoded, and a signature makes them good.
    secrets.push(...token.split('.').slice(1))
    return token
  }

  for (const way of WAYS) {
    const user = `user of ${way.name}`
    const open = async () => {
      const client = await way.open(server)
      onTestFinished(() => client.destroy())
      return client
    }
    const client = await open()
    client.send({ type: 'connect', token: await sign(user, { claims: { jti: way.name } }) })
    const { resume } = await until(client, 'connected')
    secrets.push(String(resume))
    const token = await sign(user, { claims: { channel: 'private:a' } })
    const elsewhere = await sign(user, { claims: { channel: 'private:b' } })
    client.send(
      { type: 'subscribe', id: 2, channel: 'private:a', token },
      { type: 'subscribe', id: 3, channel: 'private:a', token: elsewhere },
      { type: 'refresh', id: 4, token: await sign(user) },
      { type: 'refresh', id: 5, token: await sign(user, { secret: 'another secret, of 32 bytes and more' }) },
      { type: 'publish', id: 6, channel: 'chat:a', data: 1 },
    )
    await until(client, 'subscribed', { id: 2 })
    await eventually(() => expect(all(client, 'error').map(({ id }) => id)).toEqual(expect.arrayContaining([3, 4, 5, 6])))
    const resumed = await open()
    resumed.send({ type: 'connect', resume })
    await until(resumed, 'connected', { resumed: true })
    await api.post('revoke', { token: way.name })
    await until(resumed, 'disconnect')
    for (const message of [{ resume }, { token: await sign(user, { expiresIn: -60 }) }, { token: `${token}x` }]) {
      const refused = await open()
      refused.send({ type: 'connect', ...message })
      await until(refused, 'disconnect')
    }
  }
  for (const path of ['sse', 'nothing'])
    await fetch(
      `${server.http}/fusewire/v1/${path}?channel=chat:a&token=${await sign('ann', { issuer: 'https://evil.example' })}`,
    )
  await fetch(`${server.http}/v1/info`, { headers: { authorization: `Bearer ${API_KEY}-almost` } })
  await fetch(`${server.http}/v1/nothing?key=${API_KEY}`, { headers: { 'x-api-key': API_KEY } })
  expect(await server.stop()).toBe(0)

  for (const event of ['token_refused', 'api_key_refused', 'hook_failed', 'client_disconnected'])
    expect(server.log).toContain(event)
  const told = secrets.filter((secret) => server.log.includes(secret))
  expect(told).toEqual([])
}, 60_000)
