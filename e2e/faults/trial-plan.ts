import { FAULT_KINDS, faultSchedule, type Random, type ScheduledFault } from '@fusewire/testkit'
import type { Way } from '../wire/way.ts'
import { WAYS } from '../wire/ways.ts'
import { SDK_TRANSPORTS, type SdkSubscriberOptions } from './sdk-subscriber.ts'

export type ClientPlan =
  | ({ readonly kind: 'sdk'; readonly over: 'TLS' | 'cleartext' } & SdkSubscriberOptions)
  | { readonly kind: 'wire'; readonly over: 'TLS' | 'cleartext'; readonly way: Way }
  | { readonly kind: 'events'; readonly over: 'TLS' | 'cleartext'; readonly version: 'HTTP/1.1' | 'HTTP/2' }

/** What the client does by itself at a moment, in milliseconds from the beginning. */
export interface ClientAct {
  readonly atMs: number
  readonly act: 'stir' | 'publish'
}

/** One client, and all that befalls it. */
export interface TrialPlan {
  readonly client: ClientPlan
  readonly faults: readonly ScheduledFault[]
  readonly acts: readonly ClientAct[]
}

const OVER = ['TLS', 'cleartext'] as const

const planClient = (random: Random): ClientPlan => {
  const kind = random.pick(['sdk', 'sdk', 'wire', 'wire', 'events'] as const)
  if (kind === 'wire') {
    const way = random.pick(WAYS)
    return { kind, way, over: /clear/u.test(way.name) ? 'cleartext' : 'TLS' }
  }
  const over = random.pick(OVER)
  if (kind === 'events') return { kind, over, version: over === 'TLS' ? random.pick(['HTTP/1.1', 'HTTP/2']) : 'HTTP/1.1' }
  return { kind, over, transport: random.pick(SDK_TRANSPORTS), encoding: random.pick(['json', 'msgpack']) }
}

/** Only TLS notices a bit that has changed on the way, beyond TCP's own checksum, which a proxy puts right again. */
const CLEARTEXT_FAULTS = FAULT_KINDS.filter((kind) => kind !== 'corrupt')

/** A trial at random, which the same numbers repeat. */
export const planTrial = (random: Random, durationMs: number): TrialPlan => {
  const client = planClient(random.fork())
  const faults = faultSchedule(random.fork(), {
    durationMs,
    maxGapMs: 300,
    ...(client.over === 'cleartext' && { kinds: CLEARTEXT_FAULTS }),
  })
  const acts: ClientAct[] = []
  for (let atMs = random.integer(0, 200); atMs < durationMs; atMs += random.integer(50, 400))
    acts.push({ atMs, act: random.next() < 0.3 ? 'stir' : 'publish' })
  return { client, faults, acts }
}

/** What came to pass, in a line. */
export const nameOf = (client: ClientPlan): string => {
  if (client.kind === 'sdk') return `SDK by ${client.transport} over ${client.over}, ${client.encoding}`
  return client.kind === 'wire' ? client.way.name : `one-way SSE over ${client.version}, ${client.over}`
}
