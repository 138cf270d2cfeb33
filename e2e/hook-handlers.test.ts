import { createFusewire, type Fusewire, type Notices } from '@fusewire/server'
import { eventually } from '@fusewire/testkit'
import { expect, it, onTestFinished } from 'vitest'
import { tcpWay } from './wire/tcp-way.ts'
import { all, until, type WireClient } from './wire/way.ts'

const clientOf = async (fusewire: Fusewire): Promise<WireClient> => {
  const { urls } = await fusewire.listen({ port: 0, cleartextPort: 0 })
  onTestFinished(() => fusewire.close())
  const [https = '', http = ''] = urls
  const client = await tcpWay('cleartext').open({ https, http })
  onTestFinished(() => client.destroy())
  return client
}

const create = (): Fusewire => createFusewire({ development: true, host: '127.0.0.1', logLevel: 'silent' })

it('a program decides and hears by functions of its own', async () => {
  const heard: (Notices['unsubscribe'] | Notices['disconnect'])[] = []
  const fusewire = create()
    .hook('connect', ({ token }) =>
      token === 'ann' ? { decision: 'allow', user: token } : { decision: 'deny', code: 'token_invalid' },
    )
    .hook('publish', 'chat:*', async ({ user, data }) => ({ decision: 'allow', data: { user, data } }))
    .hook('subscribe', 'secret:*', () => ({ decision: 'deny', message: 'no' }))
    .hook('rpc', ({ method, data }) => ({ decision: 'allow', data: [method, data] }))
    .hook(['unsubscribe', 'disconnect'], (notice) => {
      heard.push(notice)
    })
  const client = await clientOf(fusewire)
  client.send(
    { type: 'connect', token: 'ann' },
    { type: 'subscribe', channel: 'chat:a' },
    { type: 'subscribe', id: 2, channel: 'secret:a' },
    { type: 'publish', channel: 'chat:a', data: 1 },
    { type: 'publish', channel: 'news', data: 2 },
    { type: 'rpc', id: 3, method: 'm', data: 4 },
  )
  expect(await until(client, 'connected')).toMatchObject({ user: 'ann' })
  expect(await until(client, 'error', { id: 2 })).toMatchObject({ code: 'permission_denied', message: 'no' })
  expect(await until(client, 'result', { id: 3 })).toMatchObject({ data: ['m', 4] })
  expect(all(client, 'publication')).toMatchObject([{ data: { user: 'ann', data: 1 } }])
  client.send({ type: 'disconnect' })
  await eventually(() =>
    expect(heard).toMatchObject([
      { event: 'unsubscribe', channel: 'chat:a' },
      { event: 'disconnect', reason: 'closed' },
    ]),
  )
})

it('a hook can be added while the server runs, and close() waits until everything is told', async () => {
  const heard: string[] = []
  const fusewire = create()
  const client = await clientOf(fusewire)
  fusewire.hook('disconnect', async ({ reason }) => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    heard.push(reason)
  })
  client.send({ type: 'connect' })
  await until(client, 'connected')
  await fusewire.close()
  expect(heard).toEqual(['server_draining'])
})
