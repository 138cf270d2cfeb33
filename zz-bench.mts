import { createClient } from '@redis/client'
import { startRedis } from '@fusewire/testkit'
import { connectTo } from './packages/server/src/brokers/redis/testing/redis-kinds.ts'
import { RedisBroker } from './packages/server/src/brokers/redis/redis-broker.ts'
import { RedisLibrary } from './packages/server/src/brokers/redis/redis-library.ts'
import { LIBRARY_PARTS } from './packages/server/src/brokers/redis/redis-library-parts.ts'
const server = await startRedis()
const library = new RedisLibrary(LIBRARY_PARTS)
const connection = connectTo({ mode: 'standalone', urls: [server.url] })
const broker = new RedisBroker(connection, { node: 'a', prefix: 'b', idempotencyTtlMs: 60_000, timeoutMs: 5000 })
await broker.start({ publication: () => undefined, interrupted: (c) => console.log('interrupted', c), announcement: () => undefined })
const client = createClient({ url: server.url, RESP: 3 }); await client.connect()
const data = { text: 'x'.repeat(100), n: 1, tags: ['a', 'b'] }
const options = { historySize: 100, historyTtlMs: 60_000, historyBytes: 1_000_000 }
const DEPTH = 100
const only = process.argv[2]
const N = Number(process.argv[3] ?? 40_000)
import { readFileSync } from 'node:fs'
const serverCpu = () => { const f = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1]!.split(' '); return (Number(f[11]) + Number(f[12])) * 10_000 }
const run = async (name: string, channels: number, one: (channel: number) => Promise<unknown>) => {
  let n = 0
  const worker = async () => { while (n < N) { const c = n++ % channels; await one(c) } }
  const cpu = process.cpuUsage(); const sc = serverCpu(); const t = performance.now()
  await Promise.all(Array.from({ length: DEPTH }, worker))
  const ms = performance.now() - t; const used = process.cpuUsage(cpu)
  return { name, channels, perS: Math.round(N / ms * 1000), redisUs: +((serverCpu() - sc) / N).toFixed(2), cpuUs: +((used.user + used.system) / N).toFixed(2) }
}
const body = JSON.stringify({ data })
const variants: Record<string, (channels: number) => Promise<unknown>> = {
  multi: (channels) => run('multi XADD HINCRBY SPUBLISH', channels, (c) => client.multi().addCommand(['HINCRBY', `{m${c}}:m`, 'o', '1']).addCommand(['XADD', `{m${c}}:h`, 'MAXLEN', '=', '100', '*', 'p', body]).addCommand(['SPUBLISH', `{m${c}}:p`, body]).exec()),
  bare: (channels) => run('bare FCALL', channels, (c) => client.sendCommand(['FCALL', library.functionName('publish'), '3', `b:{b${c}}:m`, `b:{b${c}}:h`, `b:{b${c}}:d`, `b:{b${c}}:p`, body, String(body.length), '100', '60000', '1000000', '60000', '', ''])),
  broker: (channels) => run('RedisBroker', channels, (c) => broker.publish(`c${c}`, { data }, options)),
}
for (const channels of [1, 1000]) for (let round = 0; round < 3; round++) for (const [name, variant] of Object.entries(variants)) { if (only && only !== 'all' && only !== name) continue; console.log(JSON.stringify(await variant(channels))) }
for (let c = 0; c < 1000; c++) await broker.subscribe(`c${c}`)
for (const channels of [1, 1000]) for (let round = 0; round < 2; round++) if (!only || only === 'all' || only === 'broker') console.log('subscribed', JSON.stringify(await variants.broker!(channels)))
client.destroy(); broker.close(); await server.stop()
