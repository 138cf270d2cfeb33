/** A program with Fusewire in it that answers calls: its method `echo` gives back what it was given. */
import { createFusewire } from '@fusewire/server'

const fusewire = createFusewire({
  development: true,
  tls: false,
  cleartextPort: 0,
  logLevel: 'error',
  // No heartbeat falls into what is measured.
  pingIntervalMs: 3_600_000,
  messagesPerSecond: 10_000_000,
  messagesBurst: 100_000_000,
  bytesPerSecond: 1_073_741_824,
  bytesBurst: 1_073_741_824,
}).rpc('echo', (data) => data)
const { cleartext } = await fusewire.listen()
console.log(`port=${cleartext?.port}`)
