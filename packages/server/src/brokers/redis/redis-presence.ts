import type { PresenceStore } from '@fusewire/engine'
import type { Member } from '@fusewire/protocol'
import { brokerName } from '../broker-name.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { RedisReply } from './redis-link.ts'

export interface RedisPresenceOptions {
  /** First part of every key. */
  readonly prefix: string
  /** How long a member stays whom no node adds or refreshes, in milliseconds. */
  readonly ttlMs: number
}

/** Members in one call: Redis does nothing else meanwhile. */
const BATCH = 250

/** Who is subscribed where, over all nodes, in Redis. Adding, removing, refreshing and counting do not depend on how many there are. */
export class RedisPresence implements PresenceStore {
  readonly #connection: RedisConnection
  readonly #prefix: string
  readonly #ttlMs: string

  constructor(connection: RedisConnection, { prefix, ttlMs }: RedisPresenceOptions) {
    this.#connection = connection
    this.#prefix = prefix
    this.#ttlMs = String(ttlMs)
  }

  async add(channel: string, member: Member): Promise<boolean> {
    return (await this.#call('presence_add', channel, [this.#ttlMs, ...written(member)])) === 1
  }

  async remove(channel: string, session: string): Promise<boolean> {
    return (await this.#call('presence_remove', channel, [session])) === 1
  }

  async refresh(channel: string, members: readonly Member[]): Promise<void> {
    const calls: Promise<RedisReply>[] = []
    for (let first = 0; first < members.length; first += BATCH) {
      const batch = members.slice(first, first + BATCH).flatMap(written)
      calls.push(this.#call('presence_refresh', channel, [this.#ttlMs, ...batch]))
    }
    await Promise.all(calls)
  }

  async list(channel: string): Promise<readonly Member[]> {
    const values = await this.#call('presence_list', channel, [])
    return Array.isArray(values) ? values.map((value) => memberOf(String(value))) : []
  }

  async count(channel: string): Promise<{ sessions: number; users: number }> {
    const counts = await this.#call('presence_count', channel, [])
    const [sessions = 0, users = 0, unnamed = 0] = Array.isArray(counts) ? counts.map(Number) : []
    return { sessions, users: users + unnamed }
  }

  /** The members stay: of this node's sessions some other node may take. */
  close(): void {}

  #call(name: string, channel: string, args: readonly string[]): Promise<RedisReply> {
    const base = `${this.#prefix}:{${brokerName(channel)}}:`
    return this.#connection.call(name, [`${base}pm`, `${base}ps`, `${base}pu`], args)
  }
}

/** Session, user and member, as the functions take them. JSON has no line breaks of its own, nor an empty text. */
const written = (member: Member): [string, string, string] => [
  member.session,
  member.user === undefined ? '' : JSON.stringify(member.user),
  JSON.stringify(member),
]

const memberOf = (value: string): Member => JSON.parse(value.slice(value.indexOf('\n') + 1)) as Member
