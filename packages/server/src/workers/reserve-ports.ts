import { type AddressInfo, createServer } from 'node:net'
import { type ListenAddress, listen } from '../listener/listen.ts'

const probe = async (address: ListenAddress): Promise<AddressInfo> => {
  const server = createServer()
  const at = await listen(server, address)
  await new Promise((resolve) => server.close(resolve))
  return at
}

/**
 * The address as the workers are to listen on it together: with a port that the system has chosen, where it is 0. A port that is held
 * by anybody is found out here, for sockets that share one are not told of each other.
 * @throws ConfigurationError when it cannot be had, or cannot be shared on this system.
 */
export const reservePort = async (address: ListenAddress): Promise<AddressInfo> => {
  const { port } = await probe({ ...address, isShared: false })
  return probe({ ...address, port, isShared: true })
}
