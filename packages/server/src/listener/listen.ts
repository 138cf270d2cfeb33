import type { AddressInfo, Server } from 'node:net'
import { ConfigurationError } from '../config/configuration-error.ts'

export interface ListenAddress {
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** The options that host and port came from, for error texts. Default `host` and `port`. */
  readonly portOption?: string
  /** Other processes listen on it as well, and the system gives each of them a part of the connections. Default false. */
  readonly isShared?: boolean
}

/**
 * Connections that may wait to be accepted, as far as the system allows (`net.core.somaxconn`). When all clients come back at once,
 * those that do not fit try again after a second: with Node's 511 that is most of them.
 */
const BACKLOG = 65_535

const explain = (code: string | undefined, { host, port, portOption = 'port' }: ListenAddress) => {
  switch (code) {
    case 'EADDRINUSE':
      return {
        option: portOption,
        message: `${host}:${port} is in use by another program. Stop it, or choose another port; 0 takes any that is free.`,
      }
    case 'EACCES':
    case 'EPERM':
      return {
        option: portOption,
        message: `no permission to listen on ${host}:${port}. Ports below 1024 need a privilege (CAP_NET_BIND_SERVICE); choose a higher one.`,
      }
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EINVAL':
      return { option: 'host', message: `${host} is not an address of this machine. 0.0.0.0 listens on all of them.` }
    case 'ENOTSUP':
    case 'EOPNOTSUPP':
      return {
        option: 'workers',
        message:
          'this system cannot spread the connections of one port over several processes, as Linux can; leave workers out here',
      }
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { option: 'host', message: `the name ${host} cannot be resolved. Use an address of this machine.` }
    default:
      return undefined
  }
}

/**
 * Listens, and gives the address that it got.
 * @throws {@link ConfigurationError} when the port or the host cannot be had.
 */
export const listen = (server: Server, address: ListenAddress): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      const problem = explain(error.code, address)
      reject(problem ? new ConfigurationError([problem], { cause: error }) : error)
    }
    server.once('error', onError)
    server.listen({ host: address.host, port: address.port, reusePort: address.isShared ?? false, backlog: BACKLOG }, () => {
      server.off('error', onError)
      resolve(server.address() as AddressInfo)
    })
  })
