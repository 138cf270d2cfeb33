import type { Awaitable, SessionRecord, SessionStore } from '@fusewire/engine'
import fc from 'fast-check'
import { expect } from 'vitest'
import { eventually } from '../eventually.ts'
import { LONG_MS } from './session-records.ts'

const IDS = 4

const node = fc.nat(2)
const ids = fc.uniqueArray(fc.nat(IDS - 1), { minLength: 1, maxLength: IDS })
const id = fc.nat(IDS - 1)

const stepArbitrary = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('put' as const), node, ids, version: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('refresh' as const), node, ids }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('find' as const), node, id }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const), node, id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), node, ids }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('expire' as const), node }) },
)
type Step = typeof stepArbitrary extends fc.Arbitrary<infer T> ? T : never

interface Kept {
  record: SessionRecord
  node: number
  isEnding: boolean
  hasMoved: boolean
}

/** What a store of sessions has to be, as plainly as it can be said; time passes only when a step says so, and no trace ends. */
class SessionStoreModel {
  readonly #kept = new Map<string, Kept>()
  readonly #traces = new Set<string>()

  put(node: number, records: readonly SessionRecord[]): string[] {
    return records
      .filter((record) => {
        const kept = this.#kept.get(record.id)
        if (kept ? kept.node !== node : this.#traces.has(record.id)) return true
        this.#kept.set(record.id, { record, node, isEnding: false, hasMoved: kept?.hasMoved ?? false })
        return false
      })
      .map(({ id }) => id)
  }

  refresh(node: number, ids: readonly string[]): { lost: string[]; unknown: string[] } {
    const others = ids.filter((id) => this.#kept.get(id)?.node !== node)
    for (const id of ids) if (!others.includes(id)) this.#own(id).isEnding = false
    const isLost = (id: string): boolean => this.#kept.has(id) || this.#traces.has(id)
    return { lost: others.filter(isLost), unknown: others.filter((id) => !isLost(id)) }
  }

  find(id: string): SessionRecord | undefined {
    const kept = this.#kept.get(id)
    return kept?.isEnding ? undefined : kept?.record
  }

  take(node: number, id: string): SessionRecord | undefined {
    const record = this.find(id)
    if (record) this.#give(id, node)
    return record
  }

  remove(node: number, ids: readonly string[]): string[] {
    const ended = ids.filter((id) => this.#kept.get(id)?.node === node)
    for (const id of ended) {
      if (this.#own(id).hasMoved) this.#traces.add(id)
      this.#kept.delete(id)
    }
    return ended
  }

  /** Those that this node can let expire. */
  living(node: number): string[] {
    return [...this.#kept].filter(([, kept]) => kept.node === node && !kept.isEnding).map(([id]) => id)
  }

  given(node: number, id: string): SessionRecord {
    this.#give(id, node)
    const kept = this.#own(id)
    kept.isEnding = true
    return kept.record
  }

  #give(id: string, node: number): void {
    const kept = this.#own(id)
    kept.hasMoved ||= kept.node !== node
    kept.node = node
  }

  #own(id: string): Kept {
    const kept = this.#kept.get(id)
    if (!kept) throw new Error(`the model has no ${id}`)
    return kept
  }
}

/** Random calls on three nodes, whose answers have to be those of a simple model. Each run has sessions of its own. */
export const sessionStoreModelProperty = (
  stores: readonly SessionStore[],
  { pass, shortMs }: { readonly pass: (ms: number) => Awaitable<void>; readonly shortMs: number },
): fc.IAsyncPropertyWithHooks<[Step[]]> => {
  let run = 0
  return fc.asyncProperty(fc.array(stepArbitrary, { minLength: 5, maxLength: 30 }), async (steps) => {
    const prefix = `run${++run}-`
    const model = new SessionStoreModel()
    const name = (id: number): string => `${prefix}${id}`
    const recordOf = (id: number, version: number): SessionRecord => ({
      id: name(id),
      resumeToken: `${name(id)}.secret`,
      identity: { info: version, capabilities: [], channels: [] },
      client: { transport: 'websocket', remoteAddress: '127.0.0.1' },
      subscriptions: [{ channel: `c${version}` }],
    })
    const storeOf = (node: number): SessionStore => stores[node] as SessionStore
    for (const step of steps) {
      const store = storeOf(step.node)
      switch (step.do) {
        case 'put': {
          const records = step.ids.map((id) => recordOf(id, step.version))
          expect([...(await store.put(records, LONG_MS))].sort()).toEqual(model.put(step.node, records).sort())
          break
        }
        case 'refresh': {
          const { lost, unknown } = await store.refresh(step.ids.map(name), LONG_MS)
          const expected = model.refresh(step.node, step.ids.map(name))
          expect([...lost].sort()).toEqual(expected.lost.sort())
          expect([...unknown].sort()).toEqual(expected.unknown.sort())
          break
        }
        case 'find':
          expect(await store.find(name(step.id))).toEqual(model.find(name(step.id)))
          break
        case 'take':
          expect(await store.take(name(step.id), LONG_MS)).toEqual(model.take(step.node, name(step.id)))
          break
        case 'remove':
          expect([...(await store.remove(step.ids.map(name)))].sort()).toEqual(model.remove(step.node, step.ids.map(name)).sort())
          break
        case 'expire': {
          // What this node has lets its TTL end, and the next node is given it.
          const ids = model.living(step.node)
          if (ids.length === 0) break
          await store.refresh(ids, shortMs)
          await pass(shortMs)
          const taker = (step.node + 1) % stores.length
          const given: SessionRecord[] = []
          await eventually(async () => {
            given.push(...(await storeOf(taker).expired(100, LONG_MS)))
            expect(given.map(({ id }) => id).sort()).toEqual([...ids].sort())
          })
          for (const record of given) expect(record).toEqual(model.given(taker, record.id))
        }
      }
    }
    // What is left is another run's to pass over.
    for (const store of stores) await store.remove(Array.from({ length: IDS }, (_, id) => name(id)))
  })
}
