import { eventually } from '@fusewire/testkit'
import { describe, expect, onTestFinished } from 'vitest'
import { serverTest } from './server-test.ts'
import { DEVELOPMENT } from './server-variants.ts'
import { all, join, until, type WireClient } from './wire/way.ts'
import { WAYS } from './wire/ways.ts'

const it = serverTest(DEVELOPMENT)

describe.each(WAYS)('$name', ({ name, open: openWay }) => {
  const channel = `ways:${name.replaceAll(' ', '-')}`
  const open = async (server: Parameters<typeof openWay>[0]): Promise<WireClient> => {
    const client = await openWay(server)
    onTestFinished(() => client.destroy())
    return client
  }

  it('carries every message of a client, and every answer [P1]', async ({ server, api }) => {
    const client = await open(server)
    client.send({ type: 'PING', id: 1 }, { type: 'echo', id: 2, data: { deep: [null, true, 'é', 1.5] } })
    await until(client, 'pong', { id: 1 })
    expect(await until(client, 'echo', { id: 2 })).toEqual({ type: 'echo', id: 2, data: { deep: [null, true, 'é', 1.5] } })

    client.send({ type: 'connect', id: 3, name: 'e2e', version: '1.2.3' })
    expect(await until(client, 'connected', { id: 3 })).toMatchObject({ resumed: false, development: true })
    client.send({ type: 'subscribe', id: 4, channel, presence: true, tags: { lang: 'cs' } })
    await until(client, 'subscribed', { id: 4, channel })
    client.send(
      { type: 'publish', id: 5, channel, data: 'hello', tags: { lang: 'en' } },
      { type: 'publish', id: 6, channel, data: { ahoj: 1 }, tags: { lang: 'cs' }, key: 'k' },
      { type: 'publish', id: 7, channel, data: { ahoj: 1 }, tags: { lang: 'cs' }, key: 'k' },
    )
    const { data } = await until(client, 'result', { id: 6 })
    expect(await until(client, 'result', { id: 7 })).toMatchObject({ data: { ...(data as object), duplicate: true } })
    expect(all(client, 'publication')).toMatchObject([{ channel, offset: 2, data: { ahoj: 1 }, tags: { lang: 'cs' } }])

    client.send(
      { type: 'history', id: 8, channel },
      { type: 'presence', id: 9, channel },
      { type: 'rpc', id: 10, method: 'none' },
    )
    expect(await until(client, 'result', { id: 8 })).toMatchObject({
      data: { publications: [{ offset: 1, data: 'hello' }, { offset: 2 }] },
    })
    const { session } = await until(client, 'connected')
    expect(await until(client, 'result', { id: 9 })).toMatchObject({ data: { members: [{ session }] } })
    expect(await until(client, 'error', { id: 10 })).toMatchObject({ code: 'method_not_found', retryable: false })

    const other = await open(server)
    await join(other, channel)
    expect(await until(client, 'join')).toMatchObject({ channel })
    other.send({ type: 'disconnect' })
    expect(await until(client, 'leave')).toMatchObject({ channel })
    await eventually(() => expect(other.end).toBeDefined())

    client.send({ type: 'unsubscribe', id: 11, channel })
    await until(client, 'unsubscribed', { id: 11, channel })
    await api.publish(channel, 'unheard', { tags: { lang: 'cs' } })
    client.send({ type: 'ping', id: 12 })
    await until(client, 'pong', { id: 12 })
    expect(all(client, 'publication')).toHaveLength(1)
    expect(client.end).toBeUndefined()
  })

  it('resumes its session after a break, with what it has missed [S3] [S5]', async ({ server, api }) => {
    const first = await open(server)
    const { position } = await join(first, `${channel}:resume`)
    const { resume, session } = await until(first, 'connected')
    first.destroy()
    for (const n of [1, 2, 3]) await api.publish(`${channel}:resume`, n)

    const second = await open(server)
    second.send({ type: 'connect', resume, subscriptions: [{ channel: `${channel}:resume`, since: position }] })
    expect(await until(second, 'connected')).toMatchObject({ resumed: true, session })
    const subscribed = await until(second, 'subscribed')
    expect(subscribed).toMatchObject({ recovered: true, publications: [{ data: 1 }, { data: 2 }, { data: 3 }] })
    await api.publish(`${channel}:resume`, 4)
    expect(await until(second, 'publication')).toMatchObject({ data: 4, offset: subscribed.position.offset + 1 })
  })

  it('carries a thousand publications in their order, also larger ones', async ({ server, api }) => {
    const client = await open(server)
    await join(client, `${channel}:many`)
    const sizes = Array.from({ length: 1000 }, (_, index) => (index % 100 === 0 ? 50_000 : index % 300))
    const commands = sizes.map((size, n) => ({ publish: { channel: `${channel}:many`, data: { n, filler: 'x'.repeat(size) } } }))
    for (let i = 0; i < commands.length; i += 250) await api.post('batch', { commands: commands.slice(i, i + 250) })
    await eventually(() => expect(all(client, 'publication')).toHaveLength(1000))
    expect(all(client, 'publication').map(({ offset }) => offset)).toEqual(sizes.map((_, index) => index + 1))
  })
})
