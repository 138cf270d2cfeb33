import { type BrokerStats, CALL_BOUNDS_MS } from '../brokers/broker-stats.ts'
import type { Series } from './series.ts'

/** How this node gets on with its broker. */
export const brokerSeries = (stats: BrokerStats): Series[] => [
  {
    kind: 'gauge',
    name: 'fusewire_broker_up',
    help: '1 while the broker can be reached, otherwise 0; the one in memory always can.',
    label: 'broker',
    read: () => ({ [stats.broker]: Number(stats.isUp) }),
  },
  {
    kind: 'counter',
    name: 'fusewire_broker_outages_total',
    help: 'Times that the broker was away.',
    read: () => stats.outages,
  },
  {
    kind: 'counter',
    name: 'fusewire_broker_reconnects_total',
    help: 'Connections to the broker that were lost and made again.',
    read: () => stats.reconnects,
  },
  {
    kind: 'counter',
    name: 'fusewire_broker_calls_total',
    help: 'Calls to the broker, answered or failed: refused, too late, or not sent while it is away.',
    labels: ['call', 'outcome'],
    read: () =>
      [...stats.calls].flatMap(([call, { answered, failed }]) => [
        { labels: { call, outcome: 'answered' }, value: answered },
        { labels: { call, outcome: 'failed' }, value: failed },
      ]),
  },
  {
    kind: 'histogram',
    name: 'fusewire_broker_call_duration_seconds',
    help: 'How long the broker took to answer.',
    label: 'call',
    bounds: CALL_BOUNDS_MS.map((ms) => ms / 1000),
    read: () =>
      [...stats.calls].map(([call, { answered, totalMs, buckets }]) => ({
        labels: { call },
        count: answered,
        sum: totalMs / 1000,
        buckets,
      })),
  },
]
