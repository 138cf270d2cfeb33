import { FusewireError } from '@fusewire/protocol'
import type { RedisArgument } from '@redis/client'
import type { BrokerHealth } from '../broker-health.ts'
import { MovingSlots } from './moving-slots.ts'
import { refusalOf, unavailable } from './redis-error.ts'
import type { RedisLink, RedisReply } from './redis-link.ts'
import type { RedisMasters } from './redis-masters.ts'

const TRY_AGAIN_MS = 50

export interface RedisCall {
  readonly slot: number
  readonly command: readonly RedisArgument[]
  /** Strings in the answer are given as buffers. */
  readonly buffers: boolean
}

interface Asked extends RedisCall {
  readonly link: RedisLink
  /** Of two, the one that was made first has the smaller one. */
  readonly number: number
  /** When it is too late for an answer, by `performance.now()`. */
  readonly deadline: number
}

/** Asks the master that has the slot, and goes after it where it is another one by now. */
export class RedisCalls {
  readonly #masters: RedisMasters
  readonly #health: BrokerHealth
  readonly #timeoutMs: number
  /** Slots that are on their way to another master. */
  readonly #moving = new MovingSlots()
  #made = 0

  constructor(masters: RedisMasters, health: BrokerHealth, timeoutMs: number) {
    this.#masters = masters
    this.#health = health
    this.#timeoutMs = timeoutMs
  }

  /** A command about keys of the slot; `name` is what it is counted as. Otherwise as {@link RedisConnection.call}. */
  call(name: string, { slot, command, buffers }: RedisCall): Promise<RedisReply> {
    const link = this.#masters.linkOf(slot)
    if (!link?.isUp) {
      this.#health.failed(name)
      return Promise.reject(this.#why(link))
    }
    const askedAt = performance.now()
    const asked: Asked = { link, slot, command, buffers, number: ++this.#made, deadline: askedAt + this.#timeoutMs }
    if (this.#moving.has(slot)) return this.#counted(name, askedAt, this.#inTurn(asked))
    return link.ask(command, buffers).then(
      (reply) => {
        this.#health.answered(name, performance.now() - askedAt)
        return reply
      },
      (refused: unknown) => this.#counted(name, askedAt, this.#again(refused, asked)),
    )
  }

  #why(link: RedisLink | undefined): FusewireError {
    return link?.problem ?? this.#masters.problem ?? unavailable('no Redis server has this slot')
  }

  async #counted(name: string, askedAt: number, asking: Promise<RedisReply>): Promise<RedisReply> {
    try {
      const reply = await asking
      this.#health.answered(name, performance.now() - askedAt)
      return reply
    } catch (error) {
      this.#health.failed(name)
      throw error
    }
  }

  /** It was refused: those of a slot that moves keep their order. */
  #again(refused: unknown, asked: Asked): Promise<RedisReply> {
    const refusal = refusalOf(refused)
    const isMoving = refusal?.kind === 'moved' || refusal?.kind === 'ask' || refusal?.kind === 'try-again'
    if (!isMoving) return this.#pursue(refused, asked)
    if (refusal.kind === 'moved') this.#masters.reroute(refusal.slot, this.#masters.linkTo(refusal.to, asked.link))
    return this.#inTurn(asked)
  }

  /** Asks when it is this call's turn in its slot, which moves. */
  #inTurn(asked: Asked): Promise<RedisReply> {
    const { slot, command, buffers, deadline, number } = asked
    return new Promise((resolve, reject) => {
      const insist = async (): Promise<boolean> => {
        const link = this.#masters.linkOf(slot) ?? asked.link
        try {
          if (performance.now() >= deadline) throw unavailable('Redis did not get to it in time')
          await this.#upOrLate(link, deadline)
          resolve(await link.ask(command, buffers))
          return true
        } catch (refused) {
          await this.#pursue(refused, { ...asked, link }).then(resolve, reject)
          return false
        }
      }
      const ask = (): void => {
        const link = this.#masters.linkOf(slot)
        if (link?.isUp)
          link.ask(command, buffers).then(resolve, (refused: unknown) => {
            this.#again(refused, { ...asked, link }).then(resolve, reject)
          })
        else reject(this.#why(link))
      }
      this.#moving.add(slot, { number, insist, ask }, () => passed(asked.link))
    })
  }

  /** Asks again as long as it is certain that nothing was done, and there is time. */
  async #pursue(refused: unknown, asked: Asked): Promise<RedisReply> {
    const { slot, command, buffers, deadline } = asked
    let { link } = asked
    let error = refused
    do {
      const refusal = refusalOf(error)
      try {
        switch (refusal?.kind) {
          case 'no-function':
            await link.loadLibrary()
            return await link.ask(command, buffers)
          case 'moved':
            link = this.#masters.linkTo(refusal.to, link)
            this.#masters.reroute(refusal.slot, link)
            await this.#upOrLate(link, deadline)
            return await link.ask(command, buffers)
          case 'ask': {
            const importing = this.#masters.linkTo(refusal.to, link)
            await this.#upOrLate(importing, deadline)
            return await importing.askImporting(command, buffers)
          }
          case 'try-again':
            await pause(TRY_AGAIN_MS)
            link = this.#masters.linkOf(slot) ?? link
            return await link.ask(command, buffers)
          default:
            throw this.#refused(error, link)
        }
      } catch (next) {
        if (next instanceof FusewireError) throw next
        error = next
      }
    } while (performance.now() < deadline)
    throw unavailable('Redis did not get to it in time', error)
  }

  #refused(error: unknown, link: RedisLink): FusewireError {
    if (error instanceof FusewireError) return error
    const refusal = refusalOf(error)
    if (refusal?.kind === 'demoted') {
      const problem = unavailable(`Redis at ${link.name} is a replica, and takes no writes`, error)
      link.drop(problem)
      return problem
    }
    if (refusal?.kind === 'not-now') this.#masters.look()
    if (refusal?.kind === 'full') return unavailable('Redis has no memory, disk or replica left for what is written', error)
    return unavailable('Redis cannot do it now', error)
  }

  async #upOrLate(link: RedisLink, deadline: number): Promise<void> {
    while (!link.isUp) {
      if (performance.now() >= deadline || this.#masters.isClosed) throw link.problem
      await pause(TRY_AGAIN_MS)
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Settles once everything that the link has been asked until now is answered, and those who asked have heard of it. */
const passed = (link: RedisLink): Promise<void> => link.ask(['PING']).then(heard, heard)

const heard = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
