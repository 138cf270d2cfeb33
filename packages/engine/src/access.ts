import { FusewireError } from '@fusewire/protocol'
import { compilePattern, type Pattern } from './pattern.ts'
import type { ChannelRule } from './rule.ts'

/** What a client may do in a channel. */
export type Action = 'subscribe' | 'publish' | 'history' | 'presence'

/**
 * Who may do it without further proof: `anyone`, also anonymous clients; `user`, every client with a token; `owner`, the user whose
 * id is the channel's part after the last colon, or the whole name where there is none; `nobody`. Whatever this says, a capability or channel token that names the
 * channel allows it too.
 */
export type Access = 'anyone' | 'user' | 'owner' | 'nobody'

/** A token's claim: these actions are allowed in the channels that match one of the patterns (see `compilePattern`). */
export interface Capability {
  readonly channels: readonly string[]
  readonly allow: readonly Action[]
}

/** Whether the rule's access alone lets this user in. */
const isGrantedByRule = (access: Access, channel: string, user: string | undefined): boolean => {
  switch (access) {
    case 'anyone':
      return true
    case 'user':
      return user !== undefined
    case 'owner':
      return user !== undefined && channel.slice(channel.lastIndexOf(':') + 1) === user
    case 'nobody':
      return false
  }
}

/** The capabilities of one identity, with their patterns compiled once. */
export class CapabilitySet {
  /** Most identities have none, and share this. */
  static readonly #NONE = new CapabilitySet([])

  static of(capabilities: readonly Capability[]): CapabilitySet {
    return capabilities.length === 0 ? CapabilitySet.#NONE : new CapabilitySet(capabilities)
  }

  readonly #grants: readonly { readonly patterns: readonly Pattern[]; readonly allow: ReadonlySet<Action> }[]

  private constructor(capabilities: readonly Capability[]) {
    this.#grants = capabilities.map(({ channels, allow }) => ({ patterns: channels.map(compilePattern), allow: new Set(allow) }))
  }

  allows(action: Action, channel: string): boolean {
    return this.#grants.some(({ patterns, allow }) => allow.has(action) && patterns.some((pattern) => pattern.test(channel)))
  }
}

interface Holder {
  readonly user: string | undefined
  readonly capabilities: CapabilitySet
}

/** Whether the rule's access or a capability allows the action. */
export const isAllowed = (action: Action, channel: string, access: Access, holder: Holder): boolean =>
  isGrantedByRule(access, channel, holder.user) || holder.capabilities.allows(action, channel)

/** Throws `permission_denied` unless the rule's access or a capability allows the action. */
export const assertAllowed = (action: Action, channel: string, access: Access, holder: Holder): void => {
  if (isAllowed(action, channel, access, holder)) return
  throw new FusewireError('permission_denied', `${action} is not allowed in ${channel}`)
}

/** Throws unless the channel keeps presence and the holder may see it. */
export const assertPresenceVisible = (channel: string, rule: ChannelRule, holder: Holder): void => {
  if (!rule.presence) throw new FusewireError('feature_disabled', `${channel} keeps no presence`)
  assertAllowed('presence', channel, rule.seePresence, holder)
}

/** Throws unless the channel keeps a history and the holder may read it. */
export const assertHistoryReadable = (channel: string, rule: ChannelRule, holder: Holder): void => {
  if (rule.historySize === 0) throw new FusewireError('feature_disabled', `${channel} keeps no history`)
  assertAllowed('history', channel, rule.history, holder)
}

/** Throws unless the channel keeps a document. */
export const assertKeepsState = (channel: string, rule: ChannelRule): void => {
  if (!rule.state) throw new FusewireError('feature_disabled', `${channel} keeps no document`)
}
