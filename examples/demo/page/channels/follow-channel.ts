import type { Channel, Publication } from '@fusewire/client'
import { type ReadonlySignal, signal } from '@preact/signals'
import { audit } from '../line/audit.ts'

export interface FollowOptions<T> {
  /** Publications kept, and loaded when the page opens. */
  readonly keep: number
  /** Tells the publications that this page understands from others: anyone may publish anything. */
  readonly accept: (data: unknown) => data is T
}

/**
 * The newest publications of a channel: those of its history first, then each as it comes, without a gap between the two. The
 * subscription stands before the history is asked for, so that what is published meanwhile is in one of them or in both.
 */
export const followChannel = <T>(
  channel: Channel<unknown>,
  { keep, accept }: FollowOptions<T>,
): ReadonlySignal<readonly Publication<T>[]> => {
  const newest = signal<readonly Publication<T>[]>([])
  const understood = (publication: Publication): publication is Publication<T> => accept(publication.data)
  let meanwhile: Publication<T>[] | undefined

  const load = async (): Promise<void> => {
    const came: Publication<T>[] = []
    meanwhile = came
    const { publications, position } = await channel.history({ limit: keep, reverse: true })
    if (meanwhile !== came) return
    meanwhile = undefined
    const newer = came.filter(({ offset }) => offset > position.offset)
    newest.value = [...publications.filter(understood).reverse(), ...newer].slice(-keep)
  }

  channel.on('publication', (publication) => {
    audit.received(channel.name, publication.offset)
    if (!understood(publication)) return
    if (meanwhile) meanwhile.push(publication)
    else newest.value = [...newest.value, publication].slice(-keep)
  })
  channel.on('subscribed', ({ recovered }) => {
    // Recovered: everything missed is delivered as if it came now, and what is here goes on to be right.
    if (!recovered) void load().catch(() => undefined)
  })
  void channel.subscribe().catch(() => undefined)
  return newest
}
