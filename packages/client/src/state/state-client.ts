import { FusewireClient } from '../client.ts'
import { StateChannel, type StateOptions } from './state-channel.ts'

/** A client that keeps documents as well. */
export class StateClient extends FusewireClient {
  /** The live document of a channel whose rule says `state`; handles with the same name share one subscription. */
  state<Document = unknown, Info = unknown>(name: string, options: StateOptions<Document> = {}): StateChannel<Document, Info> {
    return new StateChannel(name, options, this.channels)
  }
}
