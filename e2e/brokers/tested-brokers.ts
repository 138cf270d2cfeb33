import { type NatsServer, type RedisServer, type ServerProgram, startNats, startRedis } from '@fusewire/testkit'
import { connect } from '@nats-io/transport-node'

/** A broker that servers are to share, as a test starts and looks at it. */
export interface TestedBroker {
  readonly name: 'redis' | 'nats'
  /** As messages call it. */
  readonly title: string
  readonly program: ServerProgram
  start(): Promise<StartedBroker>
  /** A call of each kind, by its name in the metrics. */
  readonly calls: { readonly publish: string; readonly presence: string }
}

export interface StartedBroker {
  readonly server: RedisServer | NatsServer
  /** With its password. */
  readonly url: string
  /** What is kept of a session under this `brokerPrefix`, as text; empty when there is nothing. */
  keptOf(session: string, prefix?: string): Promise<string>
}

/** What must not be in a log. */
export const BROKER_PASSWORD = 'a password: with @ signs'

const redis = async (): Promise<StartedBroker> => {
  const server = await startRedis({ password: BROKER_PASSWORD })
  return {
    server,
    url: server.url,
    keptOf: async (session, prefix = 'fusewire') => {
      const keys = (await server.command('KEYS', `${prefix}:{s*}:s:${session}`)) as string[]
      return keys[0] === undefined ? '' : String(await server.command('HGET', keys[0], 'r'))
    },
  }
}

const nats = async (): Promise<StartedBroker> => {
  const user = 'fusewire'
  const server = await startNats({ user, password: BROKER_PASSWORD })
  return {
    server,
    url: `nats://${user}:${encodeURIComponent(BROKER_PASSWORD)}@127.0.0.1:${server.port}`,
    keptOf: async (session, prefix = 'fusewire') => {
      const connection = await connect({ servers: `127.0.0.1:${server.port}`, user, pass: BROKER_PASSWORD })
      const question = JSON.stringify({ last_by_subj: `$KV.${prefix}-sessions.s.${session}` })
      const answer = await connection.request(`$JS.API.STREAM.MSG.GET.KV_${prefix}-sessions`, question)
      await connection.close()
      const { message } = answer.json<{ message?: { data?: string } }>()
      return Buffer.from(message?.data ?? '', 'base64').toString()
    },
  }
}

export const TESTED_BROKERS: readonly TestedBroker[] = [
  {
    name: 'redis',
    title: 'Redis',
    program: 'redis-server',
    start: redis,
    calls: { publish: 'publish', presence: 'presence_add' },
  },
  { name: 'nats', title: 'NATS', program: 'nats-server', start: nats, calls: { publish: 'append', presence: 'kv_put' } },
]
