import { freePorts } from './free-ports.ts'
import { type RedisReply, redisCommand, redisField } from './redis-command.ts'
import { ServerProcess } from './server-process.ts'

export interface RedisOptions {
  /** Port of 127.0.0.1. Default: a free one. */
  readonly port?: number
  /** Whether it keeps what it has over `restart`; without, each start is an empty one. Default false. */
  readonly appendonly?: boolean
  readonly password?: string
  /** More of its configuration, as on its command line without the dashes: `{ 'maxmemory': '10mb' }`. */
  readonly config?: Readonly<Record<string, string>>
}

/** A redis-server on 127.0.0.1. */
export class RedisServer extends ServerProcess {
  readonly port: number
  readonly #password: string | undefined

  constructor(port: number, { appendonly = false, password, config = {} }: RedisOptions = {}) {
    const settings = {
      port: String(port),
      bind: '127.0.0.1',
      'protected-mode': 'no',
      save: '',
      appendonly: appendonly ? 'yes' : 'no',
      'shutdown-timeout': '0',
      'repl-diskless-sync-delay': '0',
      // A cluster names no replica before it has been sent something.
      'repl-ping-replica-period': '1',
      ...(password === undefined ? {} : { requirepass: password, masterauth: password }),
      ...config,
    }
    super({
      program: 'redis-server',
      args: (folder) => Object.entries({ dir: folder, ...settings }).flatMap(([name, value]) => [`--${name}`, value]),
      isReady: async () => (await this.command('PING')) === 'PONG',
    })
    this.port = port
    this.#password = password
  }

  /** Its address, with the password when it has one. */
  get url(): string {
    return `redis://${this.#password === undefined ? '' : `:${encodeURIComponent(this.#password)}@`}127.0.0.1:${this.port}`
  }

  command(...parts: readonly (string | number)[]): Promise<RedisReply> {
    return redisCommand(this.port, parts, this.#password)
  }

  /** One field of `INFO`. */
  async info(section: string, name: string): Promise<string | undefined> {
    return redisField(await this.command('INFO', section), name)
  }
}

/** Starts a Redis, and resolves when it takes clients. */
export const startRedis = async (options: RedisOptions = {}): Promise<RedisServer> => {
  const [port = 0] = options.port === undefined ? await freePorts(1) : [options.port]
  const server = new RedisServer(port, options)
  server.launch()
  await server.untilReady()
  return server
}
