// Programs with the SDK, which share a process, lose their lines in the moment in which a message leaves. Given: the server's URL.
import { FusewireClient } from '@fusewire/client'

/** A message is on its way some turns of the microtask queue after `publish`. */
const MOST_TURNS = 60

for (let turns = 0; turns < MOST_TURNS; turns++) {
  const client = new FusewireClient(process.argv[2], { transports: ['stream'] })
  await client.channel('giving-up').subscribe()
  const published = client.channel('giving-up').publish('x'.repeat(1000))
  for (let turn = 0; turn < turns; turn++) await undefined
  client.interrupt()
  published.catch(() => undefined)
  void client.close()
}
console.log('given up')
process.exit()
