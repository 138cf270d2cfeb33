import { compilePattern, type HookEvent, type Pattern } from '@fusewire/engine'
import type { HookTarget } from './hook-target.ts'
import type { NoticeQueue } from './notice-queue.ts'

/** Leads some events, perhaps of some channels only, to a target. */
export class HookRoute {
  readonly events: ReadonlySet<HookEvent>
  readonly target: HookTarget
  /** What the target is still to be told. */
  readonly queue: NoticeQueue
  readonly #channels: Pattern | undefined

  constructor(events: readonly HookEvent[], channels: string | undefined, target: HookTarget, queue: NoticeQueue) {
    this.events = new Set(events)
    this.target = target
    this.queue = queue
    this.#channels = channels === undefined ? undefined : compilePattern(channels)
  }

  /** What has no channel is of interest whatever the pattern. */
  matches(channel: string | undefined): boolean {
    return channel === undefined || this.#channels === undefined || this.#channels.test(channel)
  }
}
