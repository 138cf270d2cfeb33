import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below the ports that systems give to outgoing connections: a client that tries a port of that range again and again while its
 * server is away can meet itself there, and the server then finds its port taken.
 */
const FIRST = 20_000
const LAST = 32_000

const given = new Set<number>()

const isFree = async (port: number): Promise<boolean> => {
  const server = createServer()
  const listening = once(server, 'listening').then(
    () => true,
    () => false,
  )
  server.listen({ port, host: '127.0.0.1', exclusive: true })
  if (!(await listening)) return false
  await once(server.close(), 'close')
  return true
}

/** Ports of 127.0.0.1 that nobody listens on, each given once in this process. */
export const freePorts = async (count: number): Promise<number[]> => {
  const ports: number[] = []
  while (ports.length < count) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST))
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) ports.push(port)
  }
  return ports
}
