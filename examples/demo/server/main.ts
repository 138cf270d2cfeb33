/**
 * The demo: a Fusewire server inside of a program of its own, with rules, two feeds, two remote procedures and a page.
 *
 *   PORT             where to listen; 8443 when it is not set
 *   CLEARTEXT_PORT   listens there as well, without TLS
 */
import { ConfigurationError, createFusewire } from '@fusewire/server'
import { CHANNELS, METHODS } from '../shared/channels.ts'
import { announce } from './announcement.ts'
import { startDeviceFeed } from './device-feed.ts'
import { createDocumentRoom } from './document-room.ts'
import type { Publish } from './feed.ts'
import { startMarketFeed } from './market-feed.ts'
import { createNotifier } from './notifications.ts'
import { createPages } from './pages.ts'
import { readPort } from './read-port.ts'
import { RULES } from './rules.ts'
import { JWT_SECRET } from './visitor-tokens.ts'

const fusewire = createFusewire({
  // Listens on this machine alone, makes a certificate, and says in its first answer that it is not for production.
  development: true,
  // What the server would warn of at its start, the announcement says.
  logLevel: 'error',
  jwtSecret: JWT_SECRET,
  handler: createPages(),
})

for (const [pattern, rule] of Object.entries(RULES)) fusewire.rule(pattern, rule)

const publish: Publish = (channel, data, options) => fusewire.publish(channel, data, options)

const document = createDocumentRoom(publish)
fusewire.rpc(METHODS.editDocument, document.edit)
fusewire.rpc(METHODS.notify, createNotifier(publish))

try {
  const cleartextPort = readPort('CLEARTEXT_PORT', process.env)
  const { urls } = await fusewire.listen({
    port: readPort('PORT', process.env) ?? 8443,
    ...(cleartextPort !== undefined && { cleartextPort }),
  })
  announce(urls)
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error
  console.error(`${error.message}\nTo listen elsewhere: PORT=9443 npm start, and CLEARTEXT_PORT for a port without TLS.`)
  process.exit(1)
}

await publish(CHANNELS.lobby, {
  id: 'welcome',
  text: 'Welcome. Open this page in a second tab and say something: you will be two people.',
})
await document.open()
const feeds = [await startMarketFeed(publish), startDeviceFeed(publish)]

const stop = async (): Promise<void> => {
  for (const feed of feeds) feed.close()
  await fusewire.close()
}
process.once('SIGINT', stop)
process.once('SIGTERM', stop)
