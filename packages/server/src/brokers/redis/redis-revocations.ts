import {
  type Environment,
  type Log,
  MemoryRevocations,
  type Revocation,
  type RevocationListener,
  type Revocations,
  type TokenMark,
} from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import type { RedisConnection } from './redis-connection.ts'
import type { RedisReply } from './redis-link.ts'
import { type KeptRevocation, nameOf, readKept, readRevocationMessage, writtenOf } from './written-revocation.ts'

export interface RedisRevocationsOptions {
  /** Identifier of this process. */
  readonly node: string
  /** First part of every key. */
  readonly prefix: string
  /** Revocations in force at a time, over all nodes. */
  readonly maxRevocations: number
}

/** How often a node looks whether it has missed a revocation, which costs Redis one question. */
const LOOK_MS = 60_000
/** After a look that has failed. */
const LOOK_AGAIN_MS = 1000
/** Revocations that are given back in one call. */
const BATCH = 250

/**
 * Revocations of all nodes in Redis. Each node has all of them in memory, hears of new ones at once, and reads them again when the
 * revision in Redis is not the one that it has come to by what it has heard. What Redis has lost it gets back from whoever remembers.
 */
export class RedisRevocations implements Revocations {
  readonly #connection: RedisConnection
  readonly #log: Log
  readonly #node: string
  readonly #max: string
  readonly #keys: readonly string[]
  readonly #channel: string
  readonly #memory: MemoryRevocations
  /** Its own whose answer has not come, by number, and whether they have been heard of meanwhile. */
  readonly #pending = new Map<number, boolean>()
  #made = 0
  /** That of everything that is known here. */
  #revision = ''
  #reading: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(connection: RedisConnection, environment: Environment, log: Log, options: RedisRevocationsOptions) {
    const { node, prefix, maxRevocations } = options
    this.#connection = connection
    this.#log = log
    this.#node = node
    this.#max = String(maxRevocations)
    const base = `${prefix}:{revocations}:`
    this.#keys = ['kept', 'ends', 'revision'].map((name) => base + name)
    this.#channel = `${base}made`
    // How many there may be is decided where all are.
    this.#memory = new MemoryRevocations(environment, { maxRevocations: Number.POSITIVE_INFINITY })
  }

  get size(): number {
    return this.#memory.size
  }

  async start(listener: RevocationListener): Promise<void> {
    await this.#connection.open()
    await this.#connection.subscribe(this.#channel, {
      message: (payload) => this.#heard(payload.toString()),
      lapsed: () => this.#look(),
    })
    await this.#read()
    this.#memory.start(listener)
    this.#lookIn(LOOK_MS)
  }

  async revoke(revocation: Revocation, expiresAt: number): Promise<void> {
    const kept: KeptRevocation = [revocation, expiresAt]
    const written = writtenOf(kept)
    const number = ++this.#made
    const message = JSON.stringify([this.#node, number, ...written])
    this.#pending.set(number, false)
    try {
      const hasRoom = await this.#call('revocations_revoke', [this.#max, ...written, this.#channel, message])
      if (hasRoom !== 1) throw new FusewireError('overloaded', `maxRevocations (${this.#max}) are in force; nothing was revoked`)
      this.#add(kept)
    } catch (error) {
      // It has been made, and only its answer was lost.
      if (this.#pending.get(number)) this.#add(kept)
      throw error
    } finally {
      this.#pending.delete(number)
    }
  }

  isRevoked(token: TokenMark): boolean {
    return this.#memory.isRevoked(token)
  }

  /** Forgets what has ended. To be called now and then. */
  sweep(): void {
    this.#memory.sweep()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#connection.unsubscribe(this.#channel)
    this.#memory.close()
  }

  #heard(message: string): void {
    const heard = readRevocationMessage(message)
    if (!heard) {
      this.#look()
      return
    }
    const { revision, node, number, kept } = heard
    // Of its own it tells when Redis answers.
    if (node === this.#node && this.#pending.has(number)) this.#pending.set(number, true)
    else if (node !== this.#node || !this.#memory.holds(...kept)) this.#add(kept)
    if (isNext(revision, this.#revision)) this.#revision = revision
    else if (!isUpTo(revision, this.#revision)) this.#look()
  }

  #add([revocation, expiresAt]: KeptRevocation): void {
    this.#memory.revoke(revocation, expiresAt)
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer)
    if (!this.#isClosed) this.#timer = setTimeout(() => this.#look(), ms).unref()
  }

  /** Reads whatever is not known here. Never rejects; several at once are one. */
  #look(): void {
    this.#read().then(
      () => this.#lookIn(LOOK_MS),
      (error: unknown) => {
        if (this.#isClosed) return
        // While Redis is away that is said elsewhere.
        if (!this.#connection.problem()) this.#log('revocations_unread', { error })
        this.#lookIn(LOOK_AGAIN_MS)
      },
    )
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readChanges().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readChanges(): Promise<void> {
    const revision = String(await this.#call('revocations_revision', []))
    if (revision === this.#revision && revision !== '') return
    // What is heard from now on is newer, and what is heard before it is read is in what is read.
    this.#revision = revision
    try {
      await this.#giveBack(await this.#readAll())
    } catch (error) {
      this.#revision = ''
      throw error
    }
  }

  /** What is known here and not there. */
  async #giveBack(found: ReadonlySet<string>): Promise<void> {
    const missing = this.#memory.entries().filter(([revocation]) => !found.has(nameOf(revocation)))
    for (let first = 0; first < missing.length; first += BATCH) {
      const batch = missing.slice(first, first + BATCH).flatMap(writtenOf)
      await this.#call('revocations_restore', [this.#max, ...batch])
    }
  }

  async #readAll(): Promise<Set<string>> {
    const found = new Set<string>()
    let cursor = '0'
    do {
      const [next, pairs] = (await this.#call('revocations_page', [cursor])) as readonly [string, readonly string[]]
      for (let index = 0; index < pairs.length; index += 2) {
        const [name = '', value = ''] = [pairs[index], pairs[index + 1]]
        found.add(name)
        const kept = readKept(name, value)
        if (!this.#memory.holds(...kept)) this.#add(kept)
      }
      cursor = next
    } while (cursor !== '0' && !this.#isClosed)
    return found
  }

  #call(name: string, args: readonly string[]): Promise<RedisReply> {
    return this.#connection.call(name, this.#keys, args)
  }
}

/** Revisions are a name that changes when Redis may have lost something, and a number that grows by one. */
const partsOf = (revision: string): { readonly life: string; readonly number: number } => {
  const [life = '', number = '0'] = revision.split(' ')
  return { life, number: Number(number) }
}

const isNext = (revision: string, known: string): boolean => {
  const [next, now] = [partsOf(revision), partsOf(known)]
  return next.number === now.number + 1 && (next.life === now.life || known === '')
}

const isUpTo = (revision: string, known: string): boolean => {
  const [heard, now] = [partsOf(revision), partsOf(known)]
  return heard.life === now.life && heard.number <= now.number
}
