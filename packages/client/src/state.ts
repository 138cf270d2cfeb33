/** Everything of `@fusewire/client`, and `client.state(channel)`. */
export type { MergePatch } from '@fusewire/protocol'
export * from './index.ts'
export type { Snapshot } from './state/live-document.ts'
export type {
  StateChange,
  StateChannel,
  StateEvents,
  StateOptions,
  UpdateOptions,
  WriteOptions,
} from './state/state-channel.ts'
export { StateClient as FusewireClient } from './state/state-client.ts'
