import { setTimeout as delay } from 'node:timers/promises'
import type { Dialect } from './dialect.ts'
import type { Address } from './open-socket.ts'
import { until } from './until.ts'
import { type LoadClient, openWebSocket } from './web-socket-client.ts'

const CHANNEL = 'bench:check'

/**
 * Does once with a server elsewhere what a benchmark does many times, so that a wrong address or dialect is an error and not a wait.
 * Rejects with what the server did not do; each step may take `timeoutMs`.
 */
export const checkServer = async (address: Address, dialect: Dialect, timeoutMs = 5000): Promise<void> => {
  let messages = 0
  const opening = openWebSocket(address, { dialect }, (count) => {
    messages += count
  })
  const client = await Promise.race([opening, delay(timeoutMs, undefined, { ref: false })])
  if (!client) throw new Error('the handshake is not answered')
  try {
    await deliver(client, dialect, () => messages, timeoutMs)
  } finally {
    client.destroy()
  }
}

const deliver = async (client: LoadClient, dialect: Dialect, messages: () => number, timeoutMs: number): Promise<void> => {
  const greetings = dialect.greetings(1)
  for (const frame of dialect.subscribe([CHANNEL])) client.write(frame)
  await until(() => messages() >= greetings, 'a subscription is not confirmed', timeoutMs)
  client.write(dialect.publish(CHANNEL, 'x'))
  await until(() => messages() > greetings, 'a publication is not delivered', timeoutMs)
}
