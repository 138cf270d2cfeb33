import { expect, it } from 'vitest'
import { encodeBusMessage } from './bus-message.ts'
import { delivered, factsOf, known, TestCluster } from './testing/test-cluster.ts'

it('makes a newcomer known to all, and all to the newcomer, at once', async () => {
  const nodes = new TestCluster()
  const a = await nodes.node('a', { facts: { host: 'left' } })
  const b = await nodes.node('b')
  const c = await nodes.node('c', { facts: { worker: 2 } })
  expect([a, b, c].map(known)).toEqual([
    ['b', 'c'],
    ['a', 'c'],
    ['a', 'b'],
  ])
  expect(c.cluster.others[0]).toEqual(factsOf('a', { host: 'left' }))
  expect(a.cluster.others[1]).toEqual(factsOf('c', { worker: 2 }))
  expect(a.lines).toEqual([
    ['node_joined', { node: 'b', host: 'host-1', version: '1.2.3' }],
    ['node_joined', { node: 'c', host: 'host-1', version: '1.2.3' }],
  ])
})

it('hears at once of one that leaves, and not of it again', async () => {
  const nodes = new TestCluster()
  const a = await nodes.node('a')
  const b = await nodes.node('b')
  const left: string[] = []
  a.cluster.onLeft((node) => left.push(node))
  await b.cluster.close()
  await delivered()
  expect(known(a)).toEqual([])
  expect(a.cluster.whereabouts('b')).toBe('gone')
  expect(left).toEqual(['b'])
  expect(a.lines.at(-1)).toEqual(['node_left', { node: 'b', host: 'host-1', reason: 'goodbye' }])

  // What it had said before comes behind its goodbye.
  const late = nodes.bus.node()
  await late.start('late', { message: () => {} })
  await late.send(encodeBusMessage({ type: 'alive', from: 'b', facts: factsOf('b') }))
  await delivered()
  expect(known(a)).toEqual([])
})

it('knows a name that comes back as another process', async () => {
  const nodes = new TestCluster()
  const a = await nodes.node('a')
  const b = await nodes.node('b')
  const left: string[] = []
  a.cluster.onLeft((node) => left.push(node))
  b.isCutOff = true
  await nodes.node('b', { facts: { startedAt: 1_700_000_000_001 } })
  expect(known(a)).toEqual(['b'])
  expect(left).toEqual(['b'])
  expect(a.lines.at(-2)).toEqual(['node_left', { node: 'b', host: 'host-1', reason: 'replaced' }])
})

it('gives up one that has been silent for ten seconds, and takes it back when it speaks', async () => {
  const nodes = new TestCluster()
  const a = await nodes.node('a')
  const b = await nodes.node('b')
  b.isCutOff = true
  await nodes.pass(8000)
  expect(known(a)).toEqual(['b'])
  await nodes.pass(4000)
  expect(known(a)).toEqual([])
  expect(a.lines.at(-1)).toEqual(['node_left', { node: 'b', host: 'host-1', reason: 'silence' }])
  b.isCutOff = false
  await nodes.pass(2000)
  expect(known(a)).toEqual(['b'])
})

it('tells every two seconds how it is, and at once what must not wait', async () => {
  const nodes = new TestCluster()
  const facts = { connections: 1 }
  const a = await nodes.node('a')
  const b = await nodes.node('b', { facts })
  facts.connections = 2
  await nodes.pass(2000)
  expect(a.cluster.others[0]?.connections).toBe(2)
  facts.connections = 3
  b.cluster.announce()
  await delivered()
  expect(a.cluster.others[0]?.connections).toBe(3)
})

it('does not believe that all are gone when it has stood still itself', async () => {
  const nodes = new TestCluster()
  const a = await nodes.node('a')
  const b = await nodes.node('b')
  // Everyone else goes on, and nothing of that is read.
  a.isCutOff = true
  await nodes.pass(30_000, [b])
  a.isCutOff = false
  expect(known(b)).toEqual([])
  a.cluster.tick(nodes.now())
  expect(known(a)).toEqual(['b'])
  await delivered()
  // It has asked, and the other knows it again by that.
  expect(known(b)).toEqual(['a'])
  await nodes.pass(12_000)
  expect([a, b].map(known)).toEqual([['b'], ['a']])
})

it('gives up one that has gone while it stood still, after having listened', async () => {
  const nodes = new TestCluster()
  const a = await nodes.node('a')
  const b = await nodes.node('b')
  b.isCutOff = true
  nodes.leap(60_000)
  await nodes.pass(8000, [a])
  expect(known(a)).toEqual(['b'])
  await nodes.pass(4000, [a])
  expect(known(a)).toEqual([])
})

it('is unsure of one that it has never heard of, until it has listened for a while', async () => {
  const nodes = new TestCluster()
  const a = await nodes.node('a')
  expect(a.cluster.whereabouts('stranger')).toBe('unsure')
  await nodes.pass(6000)
  expect(a.cluster.whereabouts('stranger')).toBe('gone')
})

it('knows no more nodes than anyone has, and counts the rest', async () => {
  const nodes = new TestCluster()
  const a = await nodes.node('a')
  const flood = nodes.bus.node()
  await flood.start('flood', { message: () => {} })
  for (let n = 0; n < 1100; n++)
    await flood.send(encodeBusMessage({ type: 'alive', from: `n${n}`, facts: factsOf(`n${n}`) }), 'a')
  await delivered()
  expect(a.cluster.others).toHaveLength(1024)
  expect(a.cluster.stats.refused.too_many_nodes).toBe(76)
})

it('drops and counts what is no message, and goes on', async () => {
  const nodes = new TestCluster()
  const a = await nodes.node('a')
  const broken = nodes.bus.node()
  await broken.start('broken', { message: () => {} })
  await broken.send(Buffer.from('hello'))
  await broken.send(Uint8Array.of(9, 1, 2))
  await broken.send(encodeBusMessage({ type: 'answer', from: 'x', id: 7, data: 1 }))
  await broken.send(encodeBusMessage({ type: 'part', from: 'x', message: 1, index: 3, count: 9, bytes: new Uint8Array(9) }))
  await delivered()
  expect(a.cluster.stats).toMatchObject({ received: 4, refused: { malformed: 0, version: 2, unasked: 1, out_of_order: 1 } })
  await nodes.node('b')
  expect(known(a)).toEqual(['b'])
})
