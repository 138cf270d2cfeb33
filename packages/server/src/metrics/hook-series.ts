import type { HookSnapshot } from '../hooks/hook-stats.ts'
import type { Series } from './series.ts'

/** What becomes of questions to the application, and of what it is told. */
export const hookSeries = (hooks: () => HookSnapshot): Series[] => [
  {
    kind: 'counter',
    name: 'fusewire_hook_calls_total',
    help: 'Questions and notices by what came of them: allow, deny, skip, told, failed, overloaded. A notice that is told again counts again.',
    labels: ['event', 'outcome'],
    read: () => hooks().calls.map(({ event, outcome, count }) => ({ labels: { event, outcome }, value: count })),
  },
  {
    kind: 'counter',
    name: 'fusewire_hook_duration_seconds_total',
    help: 'Time that clients have waited for answers of the application; divide it by the calls.',
    label: 'event',
    read: () => Object.fromEntries(Object.entries(hooks().durationMs).map(([event, ms]) => [event, ms / 1000])),
  },
  {
    kind: 'gauge',
    name: 'fusewire_hook_questions_pending',
    help: 'Questions that wait for their answer now; see hookMaxConcurrent.',
    read: () => hooks().pending,
  },
  {
    kind: 'gauge',
    name: 'fusewire_hook_notices_queued',
    help: 'Notices that wait to be told now; see hookQueueSize.',
    read: () => hooks().queued,
  },
  {
    kind: 'counter',
    name: 'fusewire_hook_notices_dropped_total',
    help: 'Notices that were never told: queue_full, too_old, refused by the backend, closed with the server.',
    label: 'reason',
    read: () => ({ ...hooks().dropped }),
  },
  {
    kind: 'gauge',
    name: 'fusewire_hook_backends',
    help: 'Backends by the state of their circuit breaker now: closed, open, half_open.',
    label: 'breaker',
    read: () => {
      const states = { closed: 0, open: 0, half_open: 0 }
      for (const state of hooks().breakers) states[state]++
      return states
    },
  },
]
