import type { StateChannel } from '@fusewire/client/state'
import { type ReadonlySignal, signal } from '@preact/signals'
import { audit } from '../line/audit.ts'
import { client } from '../line/client.ts'

/** Has the page's own check look at a channel whose publications nobody here sees. */
export const auditOffsets = (channel: string): void => {
  client.channel(channel).on('publication', ({ offset }) => audit.received(channel, offset))
}

/** The document of a state channel; undefined until there is one that this page understands. The client keeps it in step. */
export const followState = <T>(
  state: StateChannel<unknown>,
  accept: (value: unknown) => value is T,
): ReadonlySignal<T | undefined> => {
  const newest = signal<T | undefined>(undefined)
  state.on('change', ({ value }) => {
    newest.value = accept(value) ? value : undefined
  })
  auditOffsets(state.name)
  void state.subscribe().catch(() => undefined)
  return newest
}
