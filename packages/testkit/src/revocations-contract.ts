import type { Awaitable, Revocation, Revocations } from '@fusewire/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'

/** A store of revocations to be tested, with nothing in it. */
export interface RevocationsUnderTest {
  readonly revocations: Revocations
  /** The store's clock, in milliseconds since the epoch. */
  readonly now: () => number
  /** Lets at least this many milliseconds pass for the store. */
  readonly pass: (ms: number) => Awaitable<void>
  /** The store of another node over the same revocations; absent where there can be no other. It is closed by the suite. */
  readonly another?: () => Awaitable<Revocations>
}

/** Of revocations whose end a test waits for. */
const LIFE_MS = 1000

/** What every {@link Revocations} must do, as a suite of tests. `makeRevocations` is called before each test. */
export const revocationsContract = (
  name: string,
  makeRevocations: (limits: { maxRevocations: number }) => Awaitable<RevocationsUnderTest>,
): void => {
  describe(`${name} is a store of Revocations`, () => {
    let subject: RevocationsUnderTest
    let revocations: Revocations
    let heard: Revocation[]
    const opened: Revocations[] = []

    const end = (): number => subject.now() + LIFE_MS
    /** After every test, however busy the machine is. */
    const later = (): number => subject.now() + 600_000

    beforeEach(async () => {
      subject = await makeRevocations({ maxRevocations: 3 })
      revocations = subject.revocations
      heard = []
      opened.push(revocations)
      await revocations.start({ revoked: (revocation) => heard.push(revocation) })
    })

    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close()
    })

    it('knows of none to begin with', () => {
      expect(revocations.isRevoked({ tokenId: 't1', user: 'ada', issuedAt: 0 })).toBe(false)
      expect(revocations.isRevoked({})).toBe(false)
      expect(revocations.size).toBe(0)
    })

    it('revokes one token, and no other of its user', async () => {
      await revocations.revoke({ token: 't1' }, later())
      expect(revocations.isRevoked({ tokenId: 't1', user: 'ada' })).toBe(true)
      expect(revocations.isRevoked({ tokenId: 't2', user: 'ada' })).toBe(false)
      expect(revocations.isRevoked({ user: 't1' })).toBe(false)
      expect(revocations.size).toBe(1)
    })

    it("revokes a user's tokens that were issued until then, and those that do not say when", async () => {
      await revocations.revoke({ user: 'ada', issuedBefore: 5000 }, later())
      for (const issuedAt of [0, 4999, 5000]) expect(revocations.isRevoked({ user: 'ada', issuedAt })).toBe(true)
      expect(revocations.isRevoked({ user: 'ada' })).toBe(true)
      expect(revocations.isRevoked({ user: 'ada', issuedAt: 5001 })).toBe(false)
      expect(revocations.isRevoked({ user: 'bob', issuedAt: 0 })).toBe(false)
      expect(revocations.isRevoked({ tokenId: 'ada', issuedAt: 0 })).toBe(false)
    })

    it('tells its listener before it answers, once it knows', async () => {
      await revocations.revoke({ token: 't1' }, later())
      await revocations.revoke({ user: 'ada', issuedBefore: 5000 }, later())
      expect(heard).toEqual([{ token: 't1' }, { user: 'ada', issuedBefore: 5000 }])
    })

    it('forgets a revocation when its time is over, and not before', async () => {
      await revocations.revoke({ token: 't1' }, end())
      await revocations.revoke({ user: 'ada', issuedBefore: 5000 }, later())
      await subject.pass(LIFE_MS)
      expect(revocations.isRevoked({ tokenId: 't1' })).toBe(false)
      expect(revocations.isRevoked({ user: 'ada' })).toBe(true)
    })

    it('takes nothing back of an earlier revocation', async () => {
      await revocations.revoke({ token: 't1' }, later())
      await revocations.revoke({ token: 't1' }, end())
      await revocations.revoke({ user: 'ada', issuedBefore: 5000 }, later())
      await revocations.revoke({ user: 'ada', issuedBefore: 4000 }, end())
      await subject.pass(LIFE_MS)
      expect(revocations.isRevoked({ tokenId: 't1' })).toBe(true)
      expect(revocations.isRevoked({ user: 'ada', issuedAt: 5000 })).toBe(true)
      expect(revocations.size).toBe(2)
    })

    it('refuses more than it may keep, and keeps what it has', async () => {
      for (const token of ['t1', 't2', 't3']) await revocations.revoke({ token }, later())
      await expect(async () => revocations.revoke({ token: 't4' }, later())).rejects.toMatchObject({ code: 'overloaded' })
      expect(revocations.isRevoked({ tokenId: 't4' })).toBe(false)
      expect(revocations.isRevoked({ tokenId: 't1' })).toBe(true)
      expect(heard).toHaveLength(3)
      // One that is there already needs no room.
      await revocations.revoke({ token: 't3' }, later())
    })

    it('has room again when the time of others is over', async () => {
      for (const token of ['t1', 't2', 't3']) await revocations.revoke({ token }, end())
      await subject.pass(LIFE_MS)
      await revocations.revoke({ token: 't4' }, later())
      expect(revocations.isRevoked({ tokenId: 't4' })).toBe(true)
    })

    it('takes names like those of properties of objects', async () => {
      await revocations.revoke({ token: '__proto__' }, later())
      await revocations.revoke({ user: 'constructor', issuedBefore: 5000 }, later())
      expect(revocations.isRevoked({ tokenId: '__proto__' })).toBe(true)
      expect(revocations.isRevoked({ tokenId: 'constructor', user: 'toString' })).toBe(false)
    })

    it('shares revocations with other nodes, from before and from now on', async ({ skip }) => {
      const { another } = subject
      if (!another) return skip('there can be no other node')
      await revocations.revoke({ token: 't1' }, later())
      const other = await another()
      opened.push(other)
      const elsewhere: Revocation[] = []
      await other.start({ revoked: (revocation) => elsewhere.push(revocation) })
      expect(other.isRevoked({ tokenId: 't1' })).toBe(true)
      await revocations.revoke({ user: 'ada', issuedBefore: 5000 }, later())
      await eventually(() => expect(elsewhere).toEqual([{ user: 'ada', issuedBefore: 5000 }]))
      expect(other.isRevoked({ user: 'ada', issuedAt: 5000 })).toBe(true)
    })
  })
}
