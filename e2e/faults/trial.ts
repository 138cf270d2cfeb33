import { setTimeout as delay } from 'node:timers/promises'
import { eventually, type FaultKind, FaultProxy, Random } from '@fusewire/testkit'
import type { FusewireProcess } from '../fusewire-process.ts'
import { judgeDocument } from './document.ts'
import { EventSubscriber } from './event-subscriber.ts'
import { judge, type Verdict, type Violation } from './judge.ts'
import { SdkSubscriber } from './sdk-subscriber.ts'
import { isForClients, type Stream } from './stream.ts'
import { type Comings, lastTold, type Subscriber } from './subscriber.ts'
import { nameOf, planTrial, type TrialPlan } from './trial-plan.ts'
import { WireSubscriber } from './wire-subscriber.ts'

/** How long a client may take to have everything once its line is mended: it has to find out, come back and recover. */
const SETTLE_DEADLINE_MS = 90_000

export interface TrialOptions {
  readonly server: FusewireProcess
  readonly streams: readonly Stream[]
  readonly seed: number
  /** How long faults happen, in milliseconds. */
  readonly durationMs: number
}

/** How a trial went. */
export interface TrialOutcome {
  readonly plan: TrialPlan
  readonly verdicts: readonly Verdict[]
  readonly violations: readonly Violation[]
  readonly comings: Comings
  readonly happened: Readonly<Record<FaultKind, number>>
}

const createSubscriber = ({ client }: TrialPlan, port: number, streams: readonly Stream[], random: Random): Subscriber => {
  const [https, http] = [`https://localhost:${port}`, `http://localhost:${port}`]
  const base = client.over === 'TLS' ? https : http
  switch (client.kind) {
    case 'sdk':
      return new SdkSubscriber(base, streams, client)
    case 'wire':
      return new WireSubscriber(client.way, { https, http }, streams, random)
    case 'events':
      return new EventSubscriber(base, client.version, streams, random)
  }
}

/** Publishes once, and keeps the book about it. */
const publishing = async (subscriber: Subscriber, stream: Stream, data: unknown, violations: Violation[]): Promise<void> => {
  stream.journal.begin(data)
  const place = await subscriber.publish?.(stream, data).catch(() => undefined)
  try {
    if (place) stream.journal.acknowledge(place, data)
  } catch (error) {
    violations.push({ kind: 'forged', count: 1, message: (error as Error).message })
  }
}

/** One client goes through a schedule of faults made from the seed; then its line is mended, and it must have everything. */
export const playTrial = async ({ server, streams, seed, durationMs }: TrialOptions): Promise<TrialOutcome> => {
  const random = new Random(seed)
  const plan = planTrial(random.fork(), durationMs)
  const proxy = await FaultProxy.start(plan.client.over === 'TLS' ? server.httpsPort : server.httpPort, random.fork())
  const subscriber = createSubscriber(plan, proxy.port, streams, random.fork())
  const failures: Violation[] = []
  const published: Promise<void>[] = []
  const own = streams.filter(isForClients)

  const act = async (): Promise<void> => {
    const beganAt = performance.now()
    for (const [n, { atMs, act: what }] of plan.acts.entries()) {
      await delay(Math.max(0, atMs - (performance.now() - beganAt)))
      if (what === 'stir') subscriber.stir?.(random)
      else if (subscriber.publish)
        published.push(publishing(subscriber, random.pick(own), { by: `${seed}/${proxy.port}`, n }, failures))
    }
  }

  /** Whether it comes true in time; otherwise that is a problem. */
  const settles = async (isSettled: () => boolean, problem: () => string): Promise<void> => {
    const patience = { timeoutMs: SETTLE_DEADLINE_MS, intervalMs: 20 }
    await eventually(isSettled, patience).catch(() => failures.push({ kind: 'stalled', count: 1, message: problem() }))
  }

  try {
    await Promise.all([proxy.run(plan.faults), act()])
    proxy.mend()
    await settles(
      () => subscriber.comings.connected > 0,
      () => 'it has never connected',
    )
    let answered = false
    void Promise.all(published).then(() => {
      answered = true
    })
    const due = streams.map((stream) => ({ stream, last: stream.journal.last }))
    const at = (stream: Stream): number => lastTold(subscriber.told.get(stream) ?? []) ?? -1
    const behind = () => due.filter(({ stream, last }) => at(stream) < last)
    await settles(
      () => behind().length === 0,
      () =>
        behind()
          .map(({ stream, last }) => `${stream.name} is at ${at(stream)} of ${last}`)
          .join(', '),
    )
    await settles(
      () => answered,
      () => 'a publish has no answer',
    )
  } finally {
    await subscriber.close()
    await Promise.all(published)
    await proxy.close()
  }

  const verdicts = streams.map((stream) => judge(subscriber.told.get(stream) ?? [], stream.journal, stream.promised))
  const documents = streams.flatMap((stream) =>
    stream.isState ? judgeDocument(subscriber.told.get(stream) ?? [], stream.journal) : [],
  )
  for (const message of subscriber.problems) failures.push({ kind: 'broken', count: 1, message })
  const about = `${nameOf(plan.client)}, seed ${seed}`
  const violations = [...failures, ...documents, ...verdicts.flatMap((verdict) => verdict.violations)].map((violation) => ({
    ...violation,
    message: `${about}: ${violation.message}`,
  }))
  return { plan, verdicts, violations, comings: subscriber.comings, happened: proxy.happened }
}
