/**
 * The floor of a node of the cluster: publishes whatever load it reads from its standard input as a line of JSON, with the commands that a
 * node was seen to send, which are the first line. Answers each with a line. Arguments: name and address of the broker.
 */
import { createInterface } from 'node:readline'
import { type NatsTraffic, openBareNats } from '../cluster/bare-nats.js'
import { openBareRedis, type RedisTraffic } from '../cluster/bare-redis.js'
import { type Load, type PublishOne, publishInWindow } from '../cluster/window.js'

const [broker, url = ''] = process.argv.slice(2)
const open = (traffic: unknown): Promise<PublishOne> =>
  broker === 'redis' ? openBareRedis(url, traffic as RedisTraffic) : openBareNats(url, traffic as NatsTraffic)
let publish: PublishOne | undefined
for await (const line of createInterface({ input: process.stdin })) {
  if (publish) console.log(`sent=${JSON.stringify(await publishInWindow(publish, JSON.parse(line) as Load))}`)
  else {
    publish = await open(JSON.parse(line))
    console.log('port=0')
  }
}
