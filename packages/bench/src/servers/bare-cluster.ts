/**
 * The floor of a program that publishes: whatever load it reads from its standard input as a line of JSON, with the commands that a node
 * was seen to send, which are the first line. Answers each with a line. Arguments: name and address of the broker.
 */
import { createInterface } from 'node:readline'
import { openBareBroker } from '../cluster/open-bare-broker.js'
import { type Load, type PublishOne, publishInWindow } from '../cluster/window.js'

const [name = '', url = ''] = process.argv.slice(2)
let publish: PublishOne | undefined
for await (const line of createInterface({ input: process.stdin })) {
  if (publish) console.log(`sent=${JSON.stringify(await publishInWindow(publish, JSON.parse(line) as Load))}`)
  else {
    const broker = await openBareBroker(name, url, JSON.parse(line))
    publish = (channel) => broker.publish(channel)
    console.log('port=0')
  }
}
