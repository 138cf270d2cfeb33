import { eventually } from '@fusewire/testkit'
import { describe, expect, onTestFinished } from 'vitest'
import type { FusewireProcess } from '../fusewire-process.ts'
import { sdkClient } from '../sdk-client.ts'
import { serverTest } from '../server-test.ts'
import { PRODUCTION, signToken } from '../server-variants.ts'
import { all, join, until, type Way, type WireClient } from '../wire/way.ts'
import { WAYS } from '../wire/ways.ts'

const it = serverTest(PRODUCTION)

let users = 0
const newUser = (): string => `user-${++users}`

const issuedAgo = (seconds: number) => ({ iat: Math.floor(Date.now() / 1000) - seconds })

const open = async (way: Way, server: FusewireProcess): Promise<WireClient> => {
  const client = await way.open(server)
  onTestFinished(() => client.destroy())
  return client
}

describe.each(WAYS)('over $name', (way) => {
  it('a revoked token ends its session at once, and opens none any more', async ({ server, api }) => {
    const user = newUser()
    const token = await signToken(user, { claims: { jti: `token of ${user}` } })
    const client = await open(way, server)
    await join(client, 'chat:revoked', { token })
    expect(await api.post('revoke', { token: `token of ${user}` })).toEqual({ sessions: 1 })
    expect(await until(client, 'disconnect')).toMatchObject({ code: 'token_revoked', closeCode: 4103, reconnect: true })
    await eventually(() => expect(client.end).toBeDefined())
    const { members } = await api.presence('chat:revoked')
    expect(members.map((member) => member.user)).not.toContain(user)

    const again = await open(way, server)
    again.send({ type: 'connect', id: 1, token })
    expect(await until(again, 'error')).toMatchObject({ id: 1, code: 'token_revoked' })
    const { resume } = await until(client, 'connected')
    const resumed = await open(way, server)
    resumed.send({ type: 'connect', id: 1, resume })
    await until(resumed, 'disconnect')
    expect(all(resumed, 'connected')).toEqual([])
  })

  it("a user's tokens that were issued until now are revoked, and newer ones are good", async ({ server, api }) => {
    const user = newUser()
    const client = await open(way, server)
    await join(client, 'chat:revoked', { token: await signToken(user, { claims: issuedAgo(60) }) })
    expect(await api.post('revoke', { user, issuedBefore: Date.now() - 30_000 })).toEqual({ sessions: 1 })
    await until(client, 'disconnect', { code: 'token_revoked' })
    const newer = await open(way, server)
    await join(newer, 'chat:revoked', { token: await signToken(user, { claims: issuedAgo(10) }) })
  })

  it('the application ends the sessions of a user at once', async ({ server, api }) => {
    const user = newUser()
    const client = await open(way, server)
    await join(client, 'chat:revoked', { token: await signToken(user) })
    expect(await api.post('disconnect', { user })).toEqual({ sessions: 1 })
    expect(await until(client, 'disconnect')).toMatchObject({ code: 'disconnected', closeCode: 4206, reconnect: false })
    await eventually(() => expect(client.end).toBeDefined())
  })

  it('a revoked channel token ends its subscription', async ({ server, api }) => {
    const user = newUser()
    const client = await open(way, server)
    client.send({ type: 'connect', token: await signToken(user) })
    await until(client, 'connected')
    const token = await signToken(user, { claims: { channel: 'private:a', jti: `channel token of ${user}` } })
    client.send({ type: 'subscribe', id: 2, channel: 'private:a', token })
    await until(client, 'subscribed')
    await api.post('revoke', { token: `channel token of ${user}` })
    expect(await until(client, 'unsubscribed')).toMatchObject({ channel: 'private:a', code: 'token_revoked' })
    client.send({ type: 'subscribe', id: 3, channel: 'private:a', token })
    expect(await until(client, 'error')).toMatchObject({ id: 3, code: 'token_revoked' })
    expect(client.end).toBeUndefined()
  })
})

describe.each(['http', 'https'] as const)('over one-way SSE (%s)', (scheme) => {
  it('a revoked token ends its stream at once, and opens none any more', async ({ server, api }) => {
    const user = newUser()
    const token = await signToken(user, { claims: { jti: `token of ${user}` } })
    const url = `${server[scheme]}/fusewire/v1/sse?channel=chat:revoked`
    const headers = { authorization: `Bearer ${token}` }
    const response = await fetch(url, { headers })
    let text = ''
    const ended = response.body?.pipeThrough(new TextDecoderStream()).pipeTo(
      new WritableStream({
        write: (chunk) => {
          text += chunk
        },
      }),
    )
    await eventually(() => expect(text).toContain('event: subscribed'))
    expect(await api.post('revoke', { token: `token of ${user}` })).toEqual({ sessions: 1 })
    await ended
    expect(text).toContain('"token_revoked"')
    expect((await fetch(url, { headers })).status).toBe(401)
  })
})

describe('the SDK', () => {
  it('waits for the second to end in which its tokens were revoked, and goes on with a new one', async ({ server, api }) => {
    const user = newUser()
    const tokens: string[] = []
    const client = sdkClient(server.https, {
      getToken: async () => {
        const token = await signToken(user, { claims: issuedAgo(0) })
        tokens.push(token)
        return token
      },
    })
    onTestFinished(() => client.close())
    await client.connect()
    await api.post('revoke', { user })
    await eventually(() => expect(client.connection.status).not.toBe('connected'))
    await eventually(() => expect(client.connection.status).toBe('connected'))
    expect(tokens).toHaveLength(2)
  })
})
