/** What a client may do in a channel. */
export type Action = 'subscribe' | 'publish' | 'history' | 'presence'

/**
 * Who may do it without further proof: `anyone`, also anonymous clients; `user`, every client with a token; `owner`, the user whose
 * id is the channel's part after the last colon; `nobody`. Whatever this says, a capability or channel token that names the
 * channel allows it too.
 */
export type Access = 'anyone' | 'user' | 'owner' | 'nobody'

/** A token's claim: these actions are allowed in the channels that match one of the patterns (see `matchesPattern`). */
export interface Capability {
  readonly channels: readonly string[]
  readonly allow: readonly Action[]
}
