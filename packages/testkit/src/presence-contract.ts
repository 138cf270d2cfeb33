import type { Awaitable, PresenceStore } from '@fusewire/engine'
import type { Member } from '@fusewire/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'

/** A presence store that nodes share, to be tested, with nobody in it. */
export interface SharedPresenceUnderTest {
  readonly presence: PresenceStore
  /** The store of another node, over the same presence. It is closed by the suite. */
  readonly another: () => Awaitable<PresenceStore>
  /** How long a member stays whom nobody adds or refreshes, in milliseconds: as short as a test can wait for. */
  readonly ttlMs: number
  /** Lets at least this many milliseconds pass for the store. */
  readonly pass: (ms: number) => Awaitable<void>
}

/**
 * What every {@link PresenceStore} must do, as a suite of tests. `makePresence` is called before each test and gives an empty one; one
 * that nodes share comes with what it takes to test that.
 */
export const presenceContract = (name: string, makePresence: () => Awaitable<PresenceStore | SharedPresenceUnderTest>): void => {
  describe(`${name} is a PresenceStore`, () => {
    let presence: PresenceStore
    let shared: SharedPresenceUnderTest | undefined
    const opened: PresenceStore[] = []

    const list = async (channel: string): Promise<Member[]> =>
      [...(await presence.list(channel))].sort((a, b) => a.session.localeCompare(b.session))

    beforeEach(async () => {
      const made = await makePresence()
      shared = 'presence' in made ? made : undefined
      presence = 'presence' in made ? made.presence : made
      opened.push(presence)
    })

    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close()
    })

    it('has nobody in a channel that nobody joined', async () => {
      expect(await presence.list('a')).toEqual([])
      expect(await presence.count('a')).toEqual({ sessions: 0, users: 0 })
    })

    it('lists members as they were added', async () => {
      const ada = { session: 's1', user: 'ada', info: { name: 'Ada', tags: ['x', null, 1] } }
      await presence.add('a', ada)
      await presence.add('a', { session: 's2' })
      expect(await list('a')).toEqual([ada, { session: 's2' }])
    })

    it('keeps channels apart', async () => {
      await presence.add('a', { session: 's1' })
      await presence.add('b', { session: 's2' })
      await presence.remove('b', 's1')
      expect(await list('a')).toEqual([{ session: 's1' }])
      expect(await list('b')).toEqual([{ session: 's2' }])
    })

    it('replaces a member that is added again', async () => {
      await presence.add('a', { session: 's1', user: 'ada', info: 1 })
      await presence.add('a', { session: 's1', user: 'ada', info: 2 })
      expect(await list('a')).toEqual([{ session: 's1', user: 'ada', info: 2 }])
      expect(await presence.count('a')).toEqual({ sessions: 1, users: 1 })
    })

    it('forgets whom it is told to remove, and takes one whom it does not know', async () => {
      await presence.add('a', { session: 's1' })
      await presence.add('a', { session: 's2' })
      await presence.remove('a', 's1')
      await presence.remove('a', 's1')
      await presence.remove('never', 's1')
      expect(await list('a')).toEqual([{ session: 's2' }])
    })

    it('tells whether a session was there before it was added, and when it is removed', async () => {
      expect(await presence.add('a', { session: 's1' })).toBe(true)
      expect(await presence.add('a', { session: 's1', info: 1 })).toBe(false)
      expect(await Promise.all([presence.remove('a', 's1'), presence.remove('a', 's1')])).toEqual([true, false])
      expect(await presence.remove('never', 's1')).toBe(false)
      expect(await presence.add('a', { session: 's1' })).toBe(true)
    })

    it('takes back those whom it has lost, when they are refreshed', async () => {
      await presence.add('a', { session: 's1', user: 'ada' })
      await presence.refresh('a', [
        { session: 's1', user: 'ada' },
        { session: 's2', user: 'ada' },
      ])
      expect(await list('a')).toEqual([
        { session: 's1', user: 'ada' },
        { session: 's2', user: 'ada' },
      ])
      expect(await presence.count('a')).toEqual({ sessions: 2, users: 1 })
    })

    it('carries out calls in their order, though nobody waits for them', async () => {
      await Promise.all([presence.add('a', { session: 's1' }), presence.remove('a', 's1')])
      await Promise.all([presence.add('a', { session: 's2' }), presence.remove('a', 's2'), presence.add('a', { session: 's2' })])
      expect(await list('a')).toEqual([{ session: 's2' }])
    })

    it('counts sessions, and users once however many sessions they have', async () => {
      await presence.add('a', { session: 's1', user: 'ada' })
      await presence.add('a', { session: 's2', user: 'ada' })
      await presence.add('a', { session: 's3', user: 'bob' })
      expect(await presence.count('a')).toEqual({ sessions: 3, users: 2 })
      await presence.remove('a', 's1')
      expect(await presence.count('a')).toEqual({ sessions: 2, users: 2 })
    })

    it('counts each session without a user as a user, also when a user is named like one', async () => {
      await presence.add('a', { session: 's1' })
      await presence.add('a', { session: 's2' })
      await presence.add('a', { session: 's3', user: 's1' })
      expect(await presence.count('a')).toEqual({ sessions: 3, users: 3 })
    })

    it('takes members named like properties of objects', async () => {
      await presence.add('__proto__', { session: 'constructor', user: '__proto__' })
      expect(await list('__proto__')).toEqual([{ session: 'constructor', user: '__proto__' }])
      expect(await presence.count('toString')).toEqual({ sessions: 0, users: 0 })
    })

    it('carries any info, also null and a great deal of it', async () => {
      const members = [
        { session: 's1', info: null },
        { session: 's2', user: 'λ "x" \u{1F680}', info: { text: 'Ω'.repeat(10_000), list: [1, null, 'x'] } },
      ]
      await presence.add('room:ü *.>', members[0] as Member)
      await presence.refresh('room:ü *.>', members)
      expect(await list('room:ü *.>')).toEqual(members)
    })

    it('takes many at a time, and nobody', async () => {
      const members = Array.from({ length: 300 }, (_, n) => ({ session: `s${n}`, user: `user${n % 7}` }))
      await presence.refresh('a', members)
      await presence.refresh('a', [])
      expect(await presence.count('a')).toEqual({ sessions: 300, users: 7 })
    })

    describe('for several nodes', () => {
      it('is the same for each of them', async ({ skip }) => {
        if (!shared) return skip('it is of one node')
        const other = await shared.another()
        opened.push(other)
        expect(await presence.add('a', { session: 's1', user: 'ada' })).toBe(true)
        expect(await other.add('a', { session: 's1', user: 'ada', info: 2 })).toBe(false)
        expect(await other.add('a', { session: 's2', user: 'bob' })).toBe(true)
        expect(await list('a')).toEqual([
          { session: 's1', user: 'ada', info: 2 },
          { session: 's2', user: 'bob' },
        ])
        expect(await presence.count('a')).toEqual({ sessions: 2, users: 2 })
        const removed = await Promise.all([presence.remove('a', 's2'), other.remove('a', 's2'), presence.remove('a', 's2')])
        expect(removed.filter((wasThere) => wasThere)).toHaveLength(1)
        await other.close()
        expect(await list('a')).toEqual([{ session: 's1', user: 'ada', info: 2 }])
      })

      it('forgets those whom nobody has refreshed for its TTL, and only those', async ({ skip }) => {
        if (!shared) return skip('it is of one node')
        const { pass, ttlMs } = shared
        await presence.add('a', { session: 's1' })
        await presence.add('a', { session: 's2', user: 'ada' })
        await presence.add('b', { session: 's1' })
        for (let passed = 0; passed <= ttlMs; passed += ttlMs / 4) {
          await pass(ttlMs / 4)
          await presence.refresh('a', [{ session: 's2', user: 'ada' }])
        }
        await eventually(async () => {
          expect(await list('a')).toEqual([{ session: 's2', user: 'ada' }])
          expect(await list('b')).toEqual([])
        })
        expect(await presence.count('a')).toEqual({ sessions: 1, users: 1 })
        expect(await presence.count('b')).toEqual({ sessions: 0, users: 0 })
        expect(await presence.add('b', { session: 's1' })).toBe(true)
        expect(await presence.remove('a', 's1')).toBe(false)
        expect(await presence.remove('a', 's2')).toBe(true)
      })
    })
  })
}
