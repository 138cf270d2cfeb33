import { vi } from 'vitest'
import type { ConnectionInfo } from '../connection-info.ts'
import type { ClientOptions } from '../options.ts'
import { FusewireClient } from '../state.ts'
import { type FakeNetwork, fakePlatform } from './fake-platform.ts'
import { FakeServer } from './fake-server.ts'

/** A client with a server in memory; to be used with fake timers. */
export const harness = (options: ClientOptions = {}, network: FakeNetwork = {}) => {
  const server = new FakeServer()
  const live = new Set<object>()
  const client = new FusewireClient('https://fake.test', { ...fakePlatform(server, network, { live }), ...options })
  const states: ConnectionInfo[] = []
  const errors: unknown[] = []
  client.on('connection', (state) => void states.push(state))
  client.on('error', (error) => void errors.push(error))
  return {
    server,
    network,
    client,
    states,
    errors,
    /** Sockets and streams that the client has not let go. */
    live,
    statuses: () => states.map(({ status }) => status),
  }
}

/** Lets everything that is due within `ms` happen. */
export const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

/** Settles a promise now, for looking at later: fake timers must pass in between. */
export const settled = <T>(promise: Promise<T>): Promise<{ value: T } | { error: unknown }> =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
