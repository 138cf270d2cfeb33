import { describe, expect, it } from 'vitest'
import { type Access, type Action, assertAllowed, assertHistoryReadable, assertPresenceVisible, CapabilitySet } from './access.ts'
import { DEFAULT_RULE } from './rule.ts'

const holder = (user: string | undefined, capabilities: Parameters<typeof CapabilitySet.of>[0] = []) => ({
  user,
  capabilities: CapabilitySet.of(capabilities),
})

const isAllowed = (action: Action, channel: string, access: Access, who: ReturnType<typeof holder>): boolean => {
  try {
    assertAllowed(action, channel, access, who)
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'permission_denied' })
    return false
  }
}

describe('the access of a rule', () => {
  it.each([
    ['anyone', undefined, true],
    ['anyone', 'ann', true],
    ['user', undefined, false],
    ['user', 'ann', true],
    ['owner', undefined, false],
    ['owner', 'ann', false],
    ['owner', 'lobby', true],
    ['nobody', 'lobby', false],
  ] as const)('%s lets %j into chat:lobby: %j', (access, user, expected) => {
    expect(isAllowed('subscribe', 'chat:lobby', access, holder(user))).toBe(expected)
  })

  it.each([
    ['inbox:ann', 'ann', true],
    ['inbox:ann', 'Ann', false],
    ['inbox:ann:mail', 'ann', false],
    ['inbox:mail:ann', 'ann', true],
    ['inbox:joann', 'ann', false],
    ['ann', 'ann', true],
    ['inbox:', 'ann', false],
    ['inbox:auth0|17', 'auth0|17', true],
    ['inbox:urn:user:17', 'urn:user:17', false],
    ['inbox:__proto__', '__proto__', true],
  ])('owner: %s belongs to %s: %j', (channel, user, expected) => {
    expect(isAllowed('subscribe', channel, 'owner', holder(user))).toBe(expected)
  })
})

describe('capabilities', () => {
  const editor = holder('ann', [
    { channels: ['doc:*', 'notes'], allow: ['publish', 'history'] },
    { channels: ['doc:7'], allow: ['presence'] },
  ])

  it('allow their actions in the channels that match, whatever the rule says', () => {
    expect(isAllowed('publish', 'doc:1', 'nobody', editor)).toBe(true)
    expect(isAllowed('history', 'notes', 'nobody', editor)).toBe(true)
    expect(isAllowed('presence', 'doc:7', 'nobody', editor)).toBe(true)
  })

  it('allow nothing else', () => {
    expect(isAllowed('subscribe', 'doc:1', 'nobody', editor)).toBe(false)
    expect(isAllowed('presence', 'doc:1', 'nobody', editor)).toBe(false)
    expect(isAllowed('publish', 'doc:1:draft', 'nobody', editor)).toBe(false)
    expect(isAllowed('publish', 'my notes', 'nobody', editor)).toBe(false)
  })

  it('never take from what the rule allows', () => {
    expect(isAllowed('subscribe', 'news', 'user', editor)).toBe(true)
  })
})

it('says that a channel keeps no history or presence before it says who may see it', () => {
  const off = { ...DEFAULT_RULE, historySize: 0, presence: false }
  expect(() => assertHistoryReadable('news', off, holder(undefined))).toThrow(
    expect.objectContaining({ code: 'feature_disabled' }),
  )
  expect(() => assertPresenceVisible('news', off, holder(undefined))).toThrow(
    expect.objectContaining({ code: 'feature_disabled' }),
  )
  const on = { ...DEFAULT_RULE, presence: true }
  expect(() => assertHistoryReadable('news', on, holder(undefined))).toThrow(
    expect.objectContaining({ code: 'permission_denied' }),
  )
  expect(() => assertPresenceVisible('news', on, holder(undefined))).toThrow(
    expect.objectContaining({ code: 'permission_denied' }),
  )
  expect(() => assertHistoryReadable('news', on, holder('ann'))).not.toThrow()
  expect(() => assertPresenceVisible('news', on, holder('ann'))).not.toThrow()
})
