import { type AddressInfo, createServer } from 'node:net'
import { type ListenAddress, listen } from '../listener/listen.ts'

/**
 * Ports to choose from where any will do: below those that systems give to outgoing connections, one of which could take the port before
 * the workers have it.
 */
const FIRST_PORT = 20_000
const LAST_PORT = 32_000
const MAX_TRIES = 20

const probe = async (address: ListenAddress): Promise<AddressInfo> => {
  const server = createServer()
  const at = await listen(server, address)
  await new Promise((resolve) => server.close(resolve))
  return at
}

const anyFreePort = async (address: ListenAddress): Promise<AddressInfo> => {
  for (let n = 0; n < MAX_TRIES; n++) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT))
    const found = await probe({ ...address, port, isShared: false }).catch(() => undefined)
    if (found) return found
  }
  // Whatever is wrong is told now.
  return probe({ ...address, isShared: false })
}

/**
 * The address as the workers are to listen on it together: with a port that is free, where it is 0. A port that is held by anybody is
 * found out here, for sockets that share one are not told of each other.
 * @throws ConfigurationError when it cannot be had, or cannot be shared on this system.
 */
export const reservePort = async (address: ListenAddress): Promise<AddressInfo> => {
  const { port } = address.port === 0 ? await anyFreePort(address) : await probe({ ...address, isShared: false })
  return probe({ ...address, port, isShared: true })
}
