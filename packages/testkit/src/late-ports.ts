import type { Broker, PresenceStore, SessionStore } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import { turn } from './turn.ts'

/** How one call of a port goes: turns of the event loop before it is carried out and before it is answered, or that it is refused. */
export interface CallFate {
  readonly before: number
  readonly after: number
  readonly refused: boolean
}

const CALM: CallFate = { before: 0, after: 0, refused: false }

/** Gives each call its fate, from a list that is used again and again. */
export class Fates {
  /** True while every call goes well, at once. */
  areCalm = false
  /** Whether any call was refused. */
  haveRefused = false
  readonly #fates: readonly CallFate[]
  #next = 0

  constructor(fates: readonly CallFate[]) {
    this.#fates = fates
  }

  next(): CallFate {
    const fate = this.#fates[this.#next++ % this.#fates.length]
    if (this.areCalm || !fate) return CALM
    this.haveRefused ||= fate.refused
    return fate
  }
}

const pass = async (turns: number): Promise<void> => {
  for (let n = 0; n < turns; n++) await turn()
}

const refusal = () => new FusewireError('broker_unavailable')

/** A broker far away: it reads and answers late, and sometimes not at all. Publishing stays as it is. */
export const lateBroker = (broker: Broker, fates: Fates): Broker => ({
  start: (listener) => broker.start(listener),
  publish: (channel, draft, options) => broker.publish(channel, draft, options),
  subscribe: async (channel) => {
    const { after, refused } = fates.next()
    // Interest begins at once, so that calls take effect in their order; that it has begun is told later.
    if (!refused) await broker.subscribe(channel)
    await pass(after)
    if (refused) throw refusal()
  },
  unsubscribe: (channel) => broker.unsubscribe(channel),
  announce: (message) => broker.announce(message),
  history: async (channel, query) => {
    const { before, after, refused } = fates.next()
    await pass(before)
    if (refused) throw refusal()
    const page = await broker.history(channel, query)
    await pass(after)
    return page
  },
  state: async (channel) => {
    const { before, after, refused } = fates.next()
    await pass(before)
    if (refused) throw refusal()
    const state = await broker.state(channel)
    await pass(after)
    return state
  },
  clearHistory: (channel) => broker.clearHistory(channel),
  removeDocument: (channel) => broker.removeDocument(channel),
  close: () => broker.close(),
})

/** A presence store far away: calls take effect in their order, and are answered late. One that is refused may have taken effect. */
export const latePresence = (store: PresenceStore, fates: Fates): PresenceStore => ({
  add: async (channel, member) => {
    const { before, after, refused } = fates.next()
    const isNew = !refused || before > 0 ? await store.add(channel, member) : false
    await pass(after)
    if (refused) throw refusal()
    return isNew
  },
  remove: async (channel, session) => {
    const { after } = fates.next()
    const wasThere = await store.remove(channel, session)
    await pass(after)
    return wasThere
  },
  refresh: (channel, members) => store.refresh(channel, members),
  list: (channel) => store.list(channel),
  count: (channel) => store.count(channel),
  close: () => store.close(),
})

/** A store of sessions far away: calls take effect in their order, and are answered late. One that is refused may have taken effect. */
export const lateSessions = (store: SessionStore, fates: Fates): SessionStore => {
  const late = async <T>(work: () => T | Promise<T>): Promise<T> => {
    const { before, after, refused } = fates.next()
    if (refused && before === 0) {
      await pass(after)
      throw refusal()
    }
    const answer = await work()
    await pass(after)
    if (refused) throw refusal()
    return answer
  }
  return {
    start: (listener) => store.start(listener),
    put: (records, ttlMs) => late(() => store.put(records, ttlMs)),
    refresh: (ids, ttlMs) => late(() => store.refresh(ids, ttlMs)),
    find: (id) => late(() => store.find(id)),
    take: (id, ttlMs) => late(() => store.take(id, ttlMs)),
    remove: (ids) => late(() => store.remove(ids)),
    expired: (limit, leaseMs) => late(() => store.expired(limit, leaseMs)),
    close: () => store.close(),
  }
}
