import { FAULT_KINDS, type FaultKind } from '@fusewire/testkit'
import type { Violation, ViolationKind } from './judge.ts'
import type { RoundOutcome } from './round.ts'
import type { TrialOutcome } from './trial.ts'
import { nameOf } from './trial-plan.ts'

/** The sums of many trials. */
export class Tally {
  trials = 0
  published = 0
  delivered = 0
  /** Recoveries that were complete, and those of which the client was told that they are not. */
  recovered = 0
  lost = 0
  connected = 0
  resumed = 0
  begunAnew = 0
  /** Publications by what was wrong with them. */
  readonly wrong: Record<ViolationKind, number> = {
    missing: 0,
    duplicate: 0,
    disorder: 0,
    forged: 0,
    dishonest: 0,
    stalled: 0,
    broken: 0,
  }
  readonly happened = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind, number>
  /** Trials by client, transport and encoding. */
  readonly clients = new Map<string, number>()
  readonly violations: Violation[] = []
  /** What is wrong with the channels themselves. */
  readonly problems: string[] = []

  addTrial({ plan, verdicts, violations, comings, happened }: TrialOutcome): void {
    this.trials++
    for (const { delivered, recovered, lost } of verdicts) {
      this.delivered += delivered
      this.recovered += recovered
      this.lost += lost
    }
    this.connected += comings.connected
    this.resumed += comings.resumed
    this.begunAnew += comings.begunAnew
    for (const violation of violations) {
      this.violations.push(violation)
      this.wrong[violation.kind] += violation.count
    }
    for (const kind of FAULT_KINDS) this.happened[kind] += happened[kind]
    const name = nameOf(plan.client)
    this.clients.set(name, (this.clients.get(name) ?? 0) + 1)
  }

  addRound({ published, problems }: RoundOutcome): void {
    this.published += published
    this.problems.push(...problems)
  }
}
