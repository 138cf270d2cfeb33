import { MemoryBroker } from '@fusewire/engine'
import { EngineHarness, type MemoryConnection, SharedBroker, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { encodeBusMessage } from './bus-message.ts'
import { ClusterApplication } from './cluster-application.ts'
import { delivered, factsOf, TestCluster, type TestNode } from './testing/test-cluster.ts'

interface Node extends TestNode {
  readonly harness: EngineHarness
  readonly application: ClusterApplication
}

let nodes: TestCluster
let a: Node
let b: Node
let ann: MemoryConnection
let annElsewhere: MemoryConnection
let bob: MemoryConnection
beforeEach(async () => {
  nodes = new TestCluster()
  let shared: SharedBroker | undefined
  const start = async (id: string): Promise<Node> => {
    const harness = await EngineHarness.start({
      broker: (environment) => {
        shared ??= new SharedBroker(new MemoryBroker(environment))
        return shared.node()
      },
    })
    const node = await nodes.node(id)
    return Object.assign(node, { harness, application: new ClusterApplication(harness.engine, node.cluster) })
  }
  a = await start('a')
  b = await start('b')
  ann = await a.harness.connect({ token: 'ann#t1+1000000' })
  annElsewhere = await b.harness.connect({ token: 'ann#t2+1000000' })
  bob = await b.harness.connect({ token: 'bob' })
})

const sessionOf = (connection: MemoryConnection): string =>
  (connection.received.find(({ type }) => type === 'connected') as { session: string }).session

describe('commands over all nodes', () => {
  it('subscribe and unsubscribe a user wherever it is', async () => {
    expect(await a.application.subscribeUser({ user: 'ann' }, 'secret:1')).toEqual({ sessions: 2 })
    for (const connection of [ann, annElsewhere])
      expect(connection.received.at(-1)).toMatchObject({ type: 'subscribed', channel: 'secret:1' })
    expect(bob.received.at(-1)).toMatchObject({ type: 'connected' })
    expect(await b.application.unsubscribeUser({ user: 'ann' }, 'secret:1')).toEqual({ sessions: 2 })
    for (const connection of [ann, annElsewhere]) expect(connection.received.at(-1)).toMatchObject({ type: 'unsubscribed' })
    expect(await a.application.unsubscribeUser({ user: 'ann' }, 'secret:1')).toEqual({ sessions: 0 })
  })

  it('find a session on whichever node it is', async () => {
    expect(await a.application.disconnectUser({ session: sessionOf(bob) })).toEqual({ sessions: 1 })
    expect(bob.closedWith).toBe('disconnected')
    expect(annElsewhere.closedWith).toBeUndefined()
    expect(await a.application.disconnectUser({ session: 'nobody' })).toEqual({ sessions: 0 })
  })

  it('disconnect a user everywhere', async () => {
    expect(await b.application.disconnectUser({ user: 'ann' })).toEqual({ sessions: 2 })
    expect([ann, annElsewhere, bob].map(({ closedWith }) => closedWith)).toEqual(['disconnected', 'disconnected', undefined])
  })

  it('give an identity another end', async () => {
    expect(await a.application.refreshUser({ user: 'ann' }, 1000)).toEqual({ sessions: 2 })
    for (const { harness } of [a, b]) harness.advance(1250)
    expect([ann, annElsewhere, bob].map(({ closedWith }) => closedWith)).toEqual(['token_expired', 'token_expired', undefined])
    expect(await a.application.refreshUser({ user: 'bob' }, 0)).toEqual({ sessions: 1 })
    await turn()
    expect(bob.closedWith).toBe('token_expired')
  })

  it('have clients come back elsewhere', async () => {
    expect(await a.application.moveUser({ user: 'ann' })).toEqual({ sessions: 2 })
    expect([ann, annElsewhere, bob].map(({ closedWith }) => closedWith)).toEqual([
      'server_draining',
      'server_draining',
      undefined,
    ])
  })

  it('count the sessions of every node that a revocation ends', async () => {
    // Here each node has revocations of its own, so that only those of one node end.
    expect(await a.application.revoke({ user: 'ann' })).toEqual({ sessions: 2 })
    expect(ann.closedWith).toBe('token_revoked')
    expect(await a.application.revoke({ token: 't2' })).toEqual({ sessions: 1 })
    expect(await a.application.revoke({ token: 'unknown' })).toEqual({ sessions: 0 })
  })

  it('add up the subscribers of channels', async () => {
    await a.harness.subscribe(ann, 'open:both')
    await b.harness.subscribe(annElsewhere, 'open:both')
    await b.harness.subscribe(bob, 'open:there')
    expect(await a.application.channels()).toEqual({
      channels: [
        { channel: 'open:both', subscribers: 2 },
        { channel: 'open:there', subscribers: 1 },
      ],
    })
    expect(await a.application.channels('*:there')).toEqual({ channels: [{ channel: 'open:there', subscribers: 1 }] })
  })

  it('refuse what is wrong', async () => {
    await expect(a.application.subscribeUser({ user: 'ann' }, 'no spaces')).rejects.toMatchObject({ code: 'invalid_channel' })
    await expect(a.application.unsubscribeUser({ user: 'ann' }, 'no spaces')).rejects.toMatchObject({ code: 'invalid_channel' })
    await expect(a.application.revoke({ token: 1 } as never)).rejects.toMatchObject({ code: 'invalid_field' })
  })

  it('name a node that does not answer, and do not wait for it to revoke', async () => {
    b.isCutOff = true
    const disconnecting = a.application.disconnectUser({ user: 'ann' })
    await nodes.pass(3000)
    expect(await disconnecting).toEqual({ sessions: 1, unreachable: ['b'] })
    const ended: unknown[] = []
    const cat = await a.harness.connect({ token: 'cat' })
    const revoking = a.application.revoke({ user: 'cat' }).then((touched) => ended.push(touched))
    // No clock of the nodes moves meanwhile: the revocation does not wait for the deadline of the other node.
    while (!cat.closedWith) await delivered()
    expect(ended).toEqual([])
    await nodes.pass(3000)
    await revoking
    expect(ended).toEqual([{ sessions: 1, unreachable: ['b'] }])
  })

  it('name a node whose answer makes no sense', async () => {
    const broken = nodes.bus.node()
    await broken.start('z', {
      message: () => {
        for (let id = 1; id < 5; id++) void broken.send(encodeBusMessage({ type: 'answer', from: 'z', id, data: 'many' }), 'a')
      },
    })
    await broken.send(encodeBusMessage({ type: 'alive', from: 'z', facts: factsOf('z') }), 'a')
    await delivered()
    expect(await a.application.disconnectUser({ user: 'ann' })).toEqual({ sessions: 2, unreachable: ['z'] })
    expect(await a.application.channels()).toEqual({ channels: [], unreachable: ['z'] })
  })
})

describe('what other nodes ask of this one', () => {
  it.each([
    ['disconnect', { user: 'ann', session: 'x' }],
    ['disconnect', {}],
    ['disconnect', null],
    ['disconnect', { user: 7 }],
    ['subscribe', { target: { user: 'ann' } }],
    ['subscribe', { target: 'ann', channel: 'open:1' }],
    ['refresh', { target: { user: 'ann' }, expiresInMs: -1 }],
    ['channels', { pattern: 7 }],
    ['revocable', { user: 'ann', token: 't' }],
  ])('is refused where it is wrong: %s %j', async (name, data) => {
    await expect(b.cluster.ask('a', name, data, { timeoutMs: 1000 })).rejects.toMatchObject({ code: 'invalid_field' })
    expect(ann.closedWith).toBeUndefined()
  })
})

it('asks nobody where there is no other node', async () => {
  const harness = await EngineHarness.start()
  const alone = new ClusterApplication(harness.engine, undefined)
  const connection = await harness.connect({ token: 'ann' })
  await harness.subscribe(connection, 'open:1')
  expect(await alone.channels()).toEqual({ channels: [{ channel: 'open:1', subscribers: 1 }] })
  expect(await alone.revoke({ user: 'nobody' })).toEqual({ sessions: 0 })
  expect(await alone.disconnectUser({ user: 'ann' })).toEqual({ sessions: 1 })
})
