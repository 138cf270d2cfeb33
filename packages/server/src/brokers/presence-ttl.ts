/**
 * How long a member of a channel is remembered whom no node refreshes, in milliseconds: longer than its session is kept for its client,
 * so that whoever ends the session of a node that has died finds it there, and tells that it has left.
 */
export const presenceTtlOf = (sessionTtlMs: number): number => 2 * sessionTtlMs + 120_000
