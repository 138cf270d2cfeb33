import { FlushScheduler } from '../flush-scheduler.ts'
import { StreamScheduler } from '../stream-scheduler.ts'
import { createTraffic } from '../traffic.ts'
import type { TransportContext, TransportLimits } from '../transport-context.ts'
import { RecordingEngine } from './recording-engine.ts'

export interface TestContext extends TransportContext {
  readonly engine: RecordingEngine
  /** Names and details of what was logged. */
  readonly events: { readonly event: string; readonly details: Record<string, unknown> }[]
}

/** A context around an engine that records; pages of `https://evil.example` are refused. */
export const createTestContext = (limits: Partial<TransportLimits> = {}): TestContext => {
  const engine = new RecordingEngine()
  const events: TestContext['events'] = []
  const scheduler = new FlushScheduler()
  return {
    engine,
    events,
    open: engine.open,
    scheduler,
    streams: new StreamScheduler(scheduler),
    traffic: createTraffic(),
    limits: { maxMessageBytes: 65_536, maxDepth: 32, maxBufferedBytes: 1_048_576, ...limits },
    clientAddress: (socketAddress) => socketAddress ?? '',
    isOriginAllowed: (origin) => origin !== 'https://evil.example',
    log: (event, details) => events.push({ event, details }),
  }
}
