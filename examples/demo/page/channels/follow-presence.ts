import type { Channel, Member } from '@fusewire/client'
import { computed, type ReadonlySignal, signal } from '@preact/signals'
import { type Person, personOf } from '../people/person.ts'

export interface Present extends Person {
  /** Tabs and devices of this person. */
  readonly sessions: number
}

/** Who is in a channel: everyone once, however many tabs they have. */
export const followPresence = (channel: Channel<unknown>): ReadonlySignal<readonly Present[]> => {
  const members = signal<ReadonlyMap<string, Member>>(new Map())

  channel.on('join', (member) => {
    members.value = new Map(members.value).set(member.session, member)
  })
  channel.on('leave', (member) => {
    const rest = new Map(members.value)
    rest.delete(member.session)
    members.value = rest
  })
  channel.on('subscribed', async () => {
    // Joins and leaves of a cut line are not repeated: ask for the whole list.
    const present = await channel.presence().catch(() => [])
    members.value = new Map(present.map((member) => [member.session, member]))
  })

  return computed(() => {
    const people = new Map<string, Present>()
    for (const member of members.value.values()) {
      const person = personOf(member)
      people.set(person.key, { ...person, sessions: (people.get(person.key)?.sessions ?? 0) + 1 })
    }
    return [...people.values()].sort((one, other) => one.name.localeCompare(other.name))
  })
}
