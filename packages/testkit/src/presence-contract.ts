import type { Awaitable, PresenceStore } from '@fusewire/engine'
import type { Member } from '@fusewire/protocol'
import { beforeEach, describe, expect, it } from 'vitest'

/** What every {@link PresenceStore} must do, as a suite of tests. `makePresence` is called before each test and gives an empty one. */
export const presenceContract = (name: string, makePresence: () => Awaitable<PresenceStore>): void => {
  describe(`${name} is a PresenceStore`, () => {
    let presence: PresenceStore

    const list = async (channel: string): Promise<Member[]> =>
      [...(await presence.list(channel))].sort((a, b) => a.session.localeCompare(b.session))

    beforeEach(async () => {
      presence = await makePresence()
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
  })
}
