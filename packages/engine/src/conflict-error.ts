import { FusewireError } from '@fusewire/protocol'
import type { ChannelState } from './ports/broker.ts'

/** Somebody else was faster: the channel is not where `ifPosition` says. */
export class ConflictError extends FusewireError {
  /** Where it is now, with the document there. */
  readonly state: ChannelState

  constructor(state: ChannelState) {
    super('conflict')
    this.state = state
  }

  /** The same for somebody who may write, but not read. */
  withoutDocument(): ConflictError {
    return new ConflictError({ position: this.state.position })
  }
}
