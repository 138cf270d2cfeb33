/**
 * Measures what a node spends, in CPU time of its process, on a publication of another node that arrives and its deliveries, and on a ping
 * with its answer. Starts a Redis and a node of its own, and is itself the other node and all clients.
 * Run with `node --conditions=@fusewire/source scripts/node-costs.ts`; the figures are in `docs/scaling.md`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { type CreateOptions, createFusewire } from '@fusewire/server'
import { startRedis } from '@fusewire/testkit'
import { WebSocket } from 'ws'
import { table } from './markdown.ts'

const CHANNEL = 'costs:1'
const DATA = 'x'.repeat(100)
const SECONDS = 3
const PING_INTERVAL_MS = 1_000

const optionsOf = (broker: string): CreateOptions => ({
  development: true,
  tls: false,
  cleartextPort: 0,
  logLevel: 'error',
  broker: [broker],
  rules: [{ pattern: '*:*', subscribe: 'anyone', publish: 'anyone', historySize: 100 }],
  pingIntervalMs: PING_INTERVAL_MS,
  maxConnectionsPerAddress: 10_000,
})

/** The node that is measured: tells its port, and its CPU time in microseconds whenever it is asked. */
const serve = async (broker: string): Promise<void> => {
  const { cleartext } = await createFusewire(optionsOf(broker)).listen()
  console.log(cleartext?.port)
  for await (const _ of createInterface({ input: process.stdin })) {
    const { user, system } = process.cpuUsage()
    console.log(user + system)
  }
}

const measure = async (): Promise<void> => {
  await using redis = await startRedis()
  const args = ['--conditions=@fusewire/source', import.meta.filename, redis.url]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const answer = async (): Promise<number> => Number(String((await once(lines, 'line'))[0]))
  const port = await answer()
  const cpuMicros = (): Promise<number> => {
    child.stdin.write('\n')
    return answer()
  }
  const other = createFusewire(optionsOf(redis.url))
  await other.listen()

  let delivered = 0
  const open = async (subscriptions: readonly { readonly channel: string }[]): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/fusewire/v1/ws`, { perMessageDeflate: false })
    await once(socket, 'open')
    let ready = (): void => undefined
    const isReady = new Promise<void>((resolve) => {
      ready = resolve
    })
    socket.on('message', (data) => {
      delivered += String(data).split('"type":"publication"').length - 1
      if (String(data).includes(subscriptions.length > 0 ? '"type":"subscribed"' : '"type":"connected"')) ready()
      if (String(data).includes('"type":"ping"')) socket.send('{"type":"pong"}')
    })
    socket.send(JSON.stringify({ type: 'connect', subscriptions }))
    await isReady
    return socket
  }

  /** CPU time for each of `count` things that happen within some seconds, in microseconds. */
  const spent = async (act: () => Promise<number>): Promise<number> => {
    await delay(500)
    const before = await cpuMicros()
    const count = await act()
    return ((await cpuMicros()) - before) / count
  }
  const publish = async (perSecond: number): Promise<number> => {
    const beganAt = performance.now()
    const deliveredBefore = delivered
    const under: Promise<unknown>[] = []
    let sent = 0
    for (let passed = 0; passed < SECONDS * 1000; passed = performance.now() - beganAt) {
      const due = (passed / 1000) * perSecond
      for (; sent < due; sent++) under.push(other.publish(CHANNEL, DATA))
      await delay(1)
    }
    await Promise.all(under)
    for (const expected = deliveredBefore + sent * sockets.length; delivered < expected; ) await delay(10)
    return sent
  }
  const idle = async (): Promise<number> => {
    await delay(SECONDS * 1000)
    return SECONDS
  }

  const sockets = [await open([{ channel: CHANNEL }])]
  // Cold code costs more.
  for (let n = 0; n < 3; n++) await publish(1_000)
  const rows: string[][] = []
  const resting = await spent(idle)
  for (const subscribers of [1, 11, 51]) {
    while (sockets.length < subscribers) sockets.push(await open([{ channel: CHANNEL }]))
    for (const perSecond of subscribers > 11 ? [1_000] : [1_000, 10_000]) {
      await publish(perSecond)
      const own = (await spent(() => publish(perSecond))) - resting / perSecond
      rows.push([`a publication that arrives, ${subscribers} subscribers, ${perSecond} a second`, own.toFixed(1), 'µs'])
    }
  }
  for (const socket of sockets) socket.terminate()

  const clients = 2_000
  for (let n = 0; n < clients; n++) await open([])
  const pings = await spent(idle)
  rows.push([
    'a ping and its answer, and what a connection costs in that second',
    ((pings - resting) / ((clients * 1000) / PING_INTERVAL_MS)).toFixed(1),
    'µs',
  ])
  console.log(table(['what', 'CPU of the node', ''], rows))
  child.kill()
  await other.close()
}

const [, , broker] = process.argv
if (broker === undefined) await measure()
else await serve(broker)
process.exit()
