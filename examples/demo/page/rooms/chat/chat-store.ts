import type { Publication } from '@fusewire/client'
import { computed, signal } from '@preact/signals'
import { CHANNELS } from '../../../shared/channels.ts'
import { type ChatMessage, isChatMessage } from '../../../shared/chat-message.ts'
import { followChannel } from '../../channels/follow-channel.ts'
import { followPresence } from '../../channels/follow-presence.ts'
import { client } from '../../line/client.ts'
import { identity } from '../../people/identity.ts'
import { type Person, personOf } from '../../people/person.ts'

const KEEP = 100

export const lobby = client.channel(CHANNELS.lobby, { presence: true })
const published = followChannel(lobby, { keep: KEEP, accept: isChatMessage })

/** Who is in the lobby. */
export const present = followPresence(lobby)

/** A message of this tab that has not come back from the server yet. */
interface Pending extends ChatMessage {
  readonly time: number
  readonly failed: boolean
}

const pending = signal<readonly Pending[]>([])

export interface Line extends ChatMessage {
  /** Absent when the server itself speaks. */
  readonly author?: Person
  readonly mine: boolean
  readonly time: number
  readonly state: 'sent' | 'pending' | 'failed'
}

const lineOf = ({ data, sender, time }: Publication<ChatMessage>): Line => ({
  ...data,
  ...(sender ? { author: personOf(sender) } : {}),
  mine: sender?.user === identity.value.user,
  time,
  state: 'sent',
})

/** Everything said, with what is still on its way at the end. */
export const lines = computed<readonly Line[]>(() => {
  const sent = published.value.map(lineOf)
  const known = new Set(sent.map(({ id }) => id))
  const { user, name } = identity.value
  const waiting = pending.value
    .filter(({ id }) => !known.has(id))
    .map(
      ({ failed, ...message }): Line => ({
        ...message,
        author: { key: user, name },
        mine: true,
        state: failed ? 'failed' : 'pending',
      }),
    )
  return [...sent, ...waiting]
})

const attempt = async ({ id, text }: ChatMessage): Promise<void> => {
  const settle = (failed: boolean): void => {
    pending.value = failed
      ? pending.value.map((message) => (message.id === id ? { ...message, failed } : message))
      : pending.value.filter((message) => message.id !== id)
  }
  // While the line is cut the client keeps the message and sends it when it is back; its key makes sure that it is said once.
  await lobby.publish({ id, text } satisfies ChatMessage, { key: id }).then(
    () => settle(false),
    () => settle(true),
  )
}

export const say = (text: string): void => {
  const message = { id: crypto.randomUUID(), text: text.trim() }
  pending.value = [...pending.value, { ...message, time: Date.now(), failed: false }]
  void attempt(message)
}

export const sayAgain = (message: ChatMessage): void => {
  pending.value = pending.value.map((other) => (other.id === message.id ? { ...other, failed: false } : other))
  void attempt(message)
}
