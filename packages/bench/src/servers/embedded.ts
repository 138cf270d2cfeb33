/**
 * A program with Fusewire in it: listens as a node of the cluster, and publishes itself, through `createFusewire`, whatever load it reads
 * from its standard input as a line of JSON. Answers each with a line.
 */
import { createInterface } from 'node:readline'
import { createFusewire } from '@fusewire/server'
import { channelName } from '../cluster/channel-name.js'
import { type Load, publishInWindow } from '../cluster/window.js'

const [broker = ''] = process.argv.slice(2)
const fusewire = createFusewire({
  development: true,
  tls: false,
  cleartextPort: 0,
  logLevel: 'error',
  broker: [broker],
  rules: [{ pattern: '*:*', subscribe: 'anyone', publish: 'anyone', historySize: 100 }],
  // One publisher does the work of many.
  maxPendingRequests: 100_000,
  messagesPerSecond: 10_000_000,
  messagesBurst: 100_000_000,
  bytesPerSecond: 1_073_741_824,
  bytesBurst: 1_073_741_824,
})
const { cleartext } = await fusewire.listen()
console.log(`port=${cleartext?.port}`)
const publish = (channel: number, data: string) => fusewire.publish(channelName(channel), data)
for await (const line of createInterface({ input: process.stdin }))
  console.log(`sent=${JSON.stringify(await publishInWindow(publish, JSON.parse(line) as Load))}`)
