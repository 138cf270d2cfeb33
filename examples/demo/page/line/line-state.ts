import type { Connected, ConnectionInfo } from '@fusewire/client'
import { computed, signal } from '@preact/signals'
import { client } from './client.ts'

const PING_MS = 2000
const LATENCIES_KEPT = 40

/** The connection, as a signal. */
export const line = signal<ConnectionInfo>(client.connection)

/** What the server said when it accepted the newest connection. */
export const accepted = signal<Connected | undefined>(undefined)

/** Round trips in milliseconds, newest last. */
export const latencies = signal<readonly number[]>([])

export const latency = computed(() => latencies.value.at(-1))

client.on('connection', (state) => {
  line.value = state
})
client.on('message', (message) => {
  if (message.type === 'connected') accepted.value = message
})

const measure = async (): Promise<void> => {
  if (line.value.status !== 'connected' || document.hidden) return
  try {
    const milliseconds = await client.ping()
    latencies.value = [...latencies.value, milliseconds].slice(-LATENCIES_KEPT)
  } catch {
    // The line was cut under the ping; the state tells.
  }
}

/** The SDK measures with each heartbeat, every 25 seconds. A page that shows a live number asks more often. */
export const measureLatency = (): void => {
  setInterval(measure, PING_MS)
  client.on('connection', measure)
}

/** How the page itself came: `h2`, `http/1.1`. Empty where the browser does not tell. */
export const pageProtocol = (): string => {
  const [navigation] = performance.getEntriesByType('navigation')
  return navigation instanceof PerformanceNavigationTiming ? navigation.nextHopProtocol : ''
}
