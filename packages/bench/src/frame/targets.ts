/** What a scenario has to show. Without `against` the value itself is compared, otherwise its ratio to that of another candidate. */
export interface Target {
  readonly title: string
  readonly scenario: string
  /** How the names of the cases begin that it is about; each of them has to hold. */
  readonly case: string
  readonly candidate: string
  readonly measure: string
  readonly against?: string
  readonly atLeast?: number
  readonly atMost?: number
  /** Of the value, where it is no ratio. */
  readonly unit?: string
}

/** Medians of the ratios of rounds in one run: machines are shared and noisy. By CPU time, as that is what a server is to be spared. */
export const TARGETS: readonly Target[] = [
  ...(
    [
      ['bare', 0.95],
      ['ws', 1.2],
      ['socket.io', 3],
    ] as const
  ).map(([against, atLeast]) => ({
    title: `fan-out, one message at a time, to ${against}`,
    scenario: 'fan-out',
    case: 'plain',
    candidate: 'fusewire',
    measure: 'perCpuSecond',
    against,
    atLeast,
  })),
  {
    title: 'fan-out, bursts, to bare with joined frames',
    scenario: 'fan-out',
    case: 'bursts',
    candidate: 'fusewire',
    measure: 'perCpuSecond',
    against: 'bare',
    atLeast: 0.85,
  },
  {
    title: 'fan-out over TLS, to bare TLS',
    scenario: 'fan-out',
    case: 'tls',
    candidate: 'fusewire',
    measure: 'perCpuSecond',
    against: 'bare',
    atLeast: 0.9,
  },
  {
    title: '50 HTTP/2 streams a connection, to a TLS connection each',
    scenario: 'fan-out',
    case: 'h2',
    candidate: 'h2x50',
    measure: 'perCpuSecond',
    against: 'tls',
    atLeast: 3,
  },
  {
    title: 'echo p99 at half of the rate, to ws',
    scenario: 'echo',
    case: '50%',
    candidate: 'fusewire',
    measure: 'p99',
    against: 'ws',
    atMost: 1.2,
  },
  {
    title: 'handshakes with connect and subscribe, to ws accepting',
    scenario: 'connecting',
    case: 'plain',
    candidate: 'fusewire',
    measure: 'perCpuSecond',
    against: 'ws-accept',
    atLeast: 0.7,
  },
  {
    title: 'memory of an idle WebSocket with session and subscription',
    scenario: 'memory',
    case: 'plain',
    candidate: 'fusewire',
    measure: 'rss',
    atMost: 10,
    unit: 'KB',
  },
  {
    title: 'memory over TLS, to bare TLS',
    scenario: 'memory',
    case: 'tls',
    candidate: 'fusewire',
    measure: 'rss',
    against: 'bare',
    atMost: 1.15,
  },
  {
    title: 'slow consumer: p99 of the others, to all reading',
    scenario: 'slow-consumer',
    case: '',
    candidate: 'fusewire',
    measure: 'p99Ratio',
    atMost: 1.1,
  },
  {
    title: 'idle connections with heartbeats: share of a core',
    scenario: 'idle',
    case: '',
    candidate: 'fusewire',
    measure: 'serverCpu',
    atMost: 0.15,
    unit: 'core',
  },
  {
    title: 'idle connections with heartbeats: pings without answer',
    scenario: 'idle',
    case: '',
    candidate: 'fusewire',
    measure: 'lost',
    atMost: 0,
    unit: 'pings',
  },
]
