import type { EngineStats } from '@fusewire/engine'
import type { Series } from './series.ts'

/** What the engine has, and what it has done. */
export const engineSeries = (stats: () => EngineStats): Series[] => [
  {
    kind: 'gauge',
    name: 'fusewire_sessions',
    help: 'Sessions now: attached to a connection, or detached, which wait for their client to come back.',
    label: 'state',
    read: () => {
      const { sessions, detachedSessions } = stats()
      return { attached: sessions - detachedSessions, detached: detachedSessions }
    },
  },
  {
    kind: 'counter',
    name: 'fusewire_sessions_created_total',
    help: 'Sessions begun.',
    read: () => stats().sessionsCreated,
  },
  {
    kind: 'counter',
    name: 'fusewire_sessions_resumed_total',
    help: 'Times that a client came back to its session.',
    read: () => stats().sessionsResumed,
  },
  {
    kind: 'counter',
    name: 'fusewire_sessions_expired_total',
    help: 'Sessions whose client did not come back in time.',
    read: () => stats().sessionsExpired,
  },
  {
    kind: 'counter',
    name: 'fusewire_sessions_taken_total',
    help: 'Sessions taken over from other nodes, because their client came here.',
    read: () => stats().sessionsTaken,
  },
  {
    kind: 'counter',
    name: 'fusewire_sessions_let_go_total',
    help: 'Sessions that other nodes have taken over, or have ended.',
    read: () => stats().sessionsLetGo,
  },
  {
    kind: 'counter',
    name: 'fusewire_sessions_swept_total',
    help: 'Sessions of nodes that have died, ended by this one.',
    read: () => stats().sessionsSwept,
  },
  {
    kind: 'counter',
    name: 'fusewire_session_store_failures_total',
    help: 'Calls that the store of sessions has refused; they are tried again.',
    read: () => stats().sessionStoreFailures,
  },
  { kind: 'gauge', name: 'fusewire_subscriptions', help: 'Subscriptions now.', read: () => stats().subscriptions },
  { kind: 'gauge', name: 'fusewire_channels', help: 'Channels with subscribers now.', read: () => stats().channels },
  {
    kind: 'gauge',
    name: 'fusewire_deadlines',
    help: 'Deadlines of heartbeats, sessions and tokens that wait for their time.',
    read: () => stats().deadlines,
  },
  { kind: 'gauge', name: 'fusewire_revocations', help: 'Revocations of tokens in force.', read: () => stats().revocations },
  {
    kind: 'counter',
    name: 'fusewire_recoveries_total',
    help: 'Subscriptions that named a position: complete, or incomplete when something after it was no longer kept.',
    label: 'outcome',
    read: () => ({ ...stats().recoveries }),
  },
  {
    kind: 'counter',
    name: 'fusewire_messages_received_total',
    help: 'Messages taken from clients.',
    label: 'type',
    read: () => stats().messagesIn,
  },
  {
    kind: 'counter',
    name: 'fusewire_publications_total',
    help: 'Publications that reached this node.',
    read: () => stats().publications,
  },
  {
    kind: 'counter',
    name: 'fusewire_deliveries_total',
    help: 'Publications, joins and leaves handed to connections.',
    read: () => stats().deliveries,
  },
]
