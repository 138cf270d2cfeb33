import type { EngineStats } from '@fusewire/engine'
import { CLIENT_MESSAGES } from '@fusewire/protocol'
import { register as globalRegistry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { alwaysUp, type BrokerStats, CALL_BOUNDS_MS } from '../brokers/broker-stats.ts'
import type { HookSnapshot } from '../hooks/hook-stats.ts'
import { createTraffic } from '../transports/traffic.ts'
import { createMetrics } from './create-metrics.ts'
import { processMetrics } from './process-metrics.ts'

const noMessages = Object.fromEntries(Object.keys(CLIENT_MESSAGES).map((type) => [type, 0])) as EngineStats['messagesIn']

const someStats: EngineStats = {
  messagesIn: { ...noMessages, connect: 3, publish: 40 },
  publications: 41,
  deliveries: 4100,
  errors: { permission_denied: 2 },
  disconnects: { slow_consumer: 1, server_draining: 5 },
  refusals: { messagesPerSecond: 11, maxConnections: 2 },
  sessionsCreated: 9,
  sessionsResumed: 8,
  sessionsExpired: 7,
  sessionsTaken: 31,
  sessionsLetGo: 32,
  sessionsSwept: 33,
  sessionStoreFailures: 34,
  recoveries: { complete: 6, incomplete: 1 },
  connections: 2,
  sessions: 5,
  detachedSessions: 3,
  subscriptions: 12,
  channels: 4,
  revocations: 3,
  deadlines: 21,
}

const someHooks: HookSnapshot = {
  calls: [
    { event: 'publish', outcome: 'allow', count: 7 },
    { event: 'publish', outcome: 'failed', count: 1 },
  ],
  durationMs: { publish: 1500 },
  dropped: { queue_full: 1, too_old: 2, refused: 3, closed: 4 },
  pending: 5,
  queued: 6,
  breakers: ['closed', 'open', 'open'],
}

const setUp = (broker: BrokerStats = alwaysUp('memory')) => {
  const traffic = createTraffic()
  const engine = { stats: someStats, reads: 0, isDraining: false }
  const stats = () => {
    engine.reads++
    return engine.stats
  }
  return {
    traffic,
    engine,
    metrics: createMetrics({
      stats,
      hooks: () => someHooks,
      securityEvents: () => ({ token_invalid: 12 }),
      isDraining: () => engine.isDraining,
      traffic,
      broker,
      refusals: { maxConnections: 3, handshakesPerSecond: 4 },
      version: '1.2.3',
      node: 'n1',
    }),
  }
}

const samples = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('fusewire_'))

describe('metrics', () => {
  it('are the counters of the engine and the transports', async () => {
    const { traffic, metrics } = setUp()
    traffic.websocket.connections = 2
    traffic.websocket.opened = 10
    traffic['websocket-h2'].bytesIn = 123
    traffic.sse.bytesOut = 456
    traffic.tcp.refused = 1
    Object.assign(traffic.sse, { behind: 3, fellBehind: 7, conflated: 900, slowDisconnects: 2 })
    const lines = samples(await metrics.read())
    for (const line of [
      'fusewire_info{node="n1",version="1.2.3"} 1',
      'fusewire_draining 0',
      'fusewire_connections{transport="websocket"} 2',
      'fusewire_connections{transport="poll"} 0',
      'fusewire_connections_opened_total{transport="websocket"} 10',
      'fusewire_handshakes_refused_total{transport="tcp"} 1',
      'fusewire_received_bytes_total{transport="websocket-h2"} 123',
      'fusewire_sent_bytes_total{transport="sse"} 456',
      'fusewire_connections_behind{transport="sse"} 3',
      'fusewire_connections_fell_behind_total{transport="sse"} 7',
      'fusewire_publications_conflated_total{transport="sse"} 900',
      'fusewire_slow_consumers_disconnected_total{transport="sse"} 2',
      'fusewire_sessions{state="attached"} 2',
      'fusewire_sessions{state="detached"} 3',
      'fusewire_sessions_created_total 9',
      'fusewire_sessions_resumed_total 8',
      'fusewire_sessions_expired_total 7',
      'fusewire_sessions_taken_total 31',
      'fusewire_sessions_let_go_total 32',
      'fusewire_sessions_swept_total 33',
      'fusewire_session_store_failures_total 34',
      'fusewire_subscriptions 12',
      'fusewire_channels 4',
      'fusewire_deadlines 21',
      'fusewire_revocations 3',
      'fusewire_recoveries_total{outcome="complete"} 6',
      'fusewire_recoveries_total{outcome="incomplete"} 1',
      'fusewire_messages_received_total{type="publish"} 40',
      'fusewire_messages_received_total{type="echo"} 0',
      'fusewire_publications_total 41',
      'fusewire_deliveries_total 4100',
      'fusewire_errors_total{code="permission_denied"} 2',
      'fusewire_disconnects_total{code="slow_consumer"} 1',
      'fusewire_security_events_total{code="token_invalid"} 12',
      'fusewire_disconnects_total{code="server_draining"} 5',
      'fusewire_refusals_total{limit="messagesPerSecond"} 11',
      'fusewire_refusals_total{limit="maxConnections"} 5',
      'fusewire_refusals_total{limit="handshakesPerSecond"} 4',
      'fusewire_hook_calls_total{event="publish",outcome="allow"} 7',
      'fusewire_hook_calls_total{event="publish",outcome="failed"} 1',
      'fusewire_hook_duration_seconds_total{event="publish"} 1.5',
      'fusewire_hook_notices_dropped_total{reason="too_old"} 2',
      'fusewire_hook_questions_pending 5',
      'fusewire_hook_notices_queued 6',
      'fusewire_hook_backends{breaker="open"} 2',
      'fusewire_hook_backends{breaker="half_open"} 0',
      'fusewire_broker_up{broker="memory"} 1',
      'fusewire_broker_outages_total 0',
    ])
      expect(lines).toContain(line)
  })

  it('tell of snapshots where they are written', async () => {
    const snapshots = { written: 7, failed: 1, bytes: 4096, writtenAt: 1_767_225_600_500 }
    const source = {
      stats: () => someStats,
      hooks: () => someHooks,
      securityEvents: () => ({}),
      isDraining: () => false,
      traffic: createTraffic(),
      broker: alwaysUp('memory'),
      refusals: {},
      version: '1.2.3',
      node: 'n1',
    }
    const lines = samples(await createMetrics({ ...source, snapshots }).read())
    for (const line of [
      'fusewire_snapshots_total{outcome="written"} 7',
      'fusewire_snapshots_total{outcome="failed"} 1',
      'fusewire_snapshot_bytes 4096',
      'fusewire_snapshot_timestamp_seconds 1767225600.5',
    ])
      expect(lines).toContain(line)
    expect(await createMetrics(source).read()).not.toContain('fusewire_snapshot')
  })

  it('tell how the broker answers, in buckets', async () => {
    const { metrics } = setUp({
      broker: 'redis',
      isUp: false,
      outages: 2,
      reconnects: 3,
      calls: new Map([
        ['publish', { answered: 6, failed: 1, totalMs: 9000, buckets: CALL_BOUNDS_MS.map((_, index) => (index < 5 ? 1 : 0)) }],
      ]),
    })
    const lines = samples(await metrics.read())
    for (const line of [
      'fusewire_broker_up{broker="redis"} 0',
      'fusewire_broker_outages_total 2',
      'fusewire_broker_reconnects_total 3',
      'fusewire_broker_calls_total{call="publish",outcome="answered"} 6',
      'fusewire_broker_calls_total{call="publish",outcome="failed"} 1',
      'fusewire_broker_call_duration_seconds_bucket{le="0.0005",call="publish"} 1',
      'fusewire_broker_call_duration_seconds_bucket{le="0.01",call="publish"} 5',
      'fusewire_broker_call_duration_seconds_bucket{le="5",call="publish"} 5',
      'fusewire_broker_call_duration_seconds_bucket{le="+Inf",call="publish"} 6',
      'fusewire_broker_call_duration_seconds_sum{call="publish"} 9',
      'fusewire_broker_call_duration_seconds_count{call="publish"} 6',
    ])
      expect(lines).toContain(line)
    expect(await metrics.read()).toContain('# TYPE fusewire_broker_call_duration_seconds histogram')
  })

  it('are read when they are scraped, not added up', async () => {
    const { engine, traffic, metrics } = setUp()
    await metrics.read()
    engine.stats = { ...someStats, deliveries: 5000 }
    traffic.tcp.bytesIn += 7
    engine.reads = 0
    for (let scrape = 0; scrape < 2; scrape++) {
      const lines = samples(await metrics.read())
      expect(lines).toContain('fusewire_deliveries_total 5000')
      expect(lines).toContain('fusewire_received_bytes_total{transport="tcp"} 7')
    }
    expect(engine.reads).toBe(2)
  })

  it('hold when several scrapes come at once', async () => {
    const { metrics } = setUp()
    const texts = await Promise.all(Array.from({ length: 10 }, () => metrics.read()))
    expect(new Set(texts.map((text) => samples(text).join('\n'))).size).toBe(1)
  })

  it('keep to the conventions of names: _total for counters and for nothing else', async () => {
    const { metrics } = setUp()
    const types = [...(await metrics.read()).matchAll(/^# TYPE (fusewire_\S+) (\S+)$/gm)]
    expect(types.length).toBeGreaterThan(15)
    for (const [, name = '', type] of types) expect([name, type === 'counter']).toEqual([name, name.endsWith('_total')])
  })

  it('come with those of the process, event-loop lag among them', async () => {
    const { metrics } = setUp()
    const text = await metrics.read()
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
      'nodejs_gc_duration_seconds',
    ])
      expect(text).toContain(`# TYPE ${name} `)
  })

  it('list no handles or descriptors one by one', async () => {
    const text = await processMetrics().metrics()
    expect(text).not.toContain('nodejs_active_')
    const open = /^process_open_fds (\d+)$/m.exec(text)?.[1]
    if (open !== undefined) expect(Number(open)).toBeGreaterThan(2)
  })

  it('of two servers in one process share what belongs to the process, and nothing else', async () => {
    const [one, two] = [setUp(), setUp()]
    one.traffic.tcp.opened = 1
    expect(await two.metrics.read()).toContain('fusewire_connections_opened_total{transport="tcp"} 0')
    expect(await one.metrics.read()).toContain('fusewire_connections_opened_total{transport="tcp"} 1')
    expect(processMetrics()).toBe(processMetrics())
  })

  it("leave the embedding program's own registry alone", async () => {
    setUp()
    expect(globalRegistry.getMetricsAsArray()).toEqual([])
  })

  it('are Prometheus text', () => {
    expect(setUp().metrics.contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
  })
})
