import { computed, signal } from '@preact/signals'
import { CHANNELS } from '../../../shared/channels.ts'
import { client } from '../../line/client.ts'
import { line } from '../../line/line-state.ts'
import { identity } from '../../people/identity.ts'
import { personOf } from '../../people/person.ts'
import { lobby } from './chat-store.ts'

/** Said again this often while someone types. */
const REPEAT_MS = 2000
/** Believed this long. */
const BELIEF_MS = 3500

const channel = client.channel(CHANNELS.typing)
const heard = signal<ReadonlyMap<string, { readonly name: string; readonly at: number }>>(new Map())

const forget = (key: string): void => {
  if (!heard.value.has(key)) return
  const rest = new Map(heard.value)
  rest.delete(key)
  heard.value = rest
}

channel.on('publication', ({ sender }) => {
  if (!sender || sender.user === identity.value.user) return
  const { key, name } = personOf(sender)
  const at = performance.now()
  heard.value = new Map(heard.value).set(key, { name, at })
  setTimeout(() => {
    if (heard.value.get(key)?.at === at) forget(key)
  }, BELIEF_MS)
})
// Whoever has spoken has stopped typing.
lobby.on('publication', ({ sender }) => {
  if (sender) forget(personOf(sender).key)
})
void channel.subscribe().catch(() => undefined)

/** Names of those who type now. */
export const typing = computed<readonly string[]>(() => [...heard.value.values()].map(({ name }) => name))

let saidAt = -REPEAT_MS

/** This tab types: the others hear of it, now and then. */
export const sayTyping = (): void => {
  const now = performance.now()
  // Old news is no news: nothing is queued while the line is down, and nothing is lost when it does not arrive.
  if (now - saidAt < REPEAT_MS || line.value.status !== 'connected') return
  saidAt = now
  void channel.publish({}).catch(() => undefined)
}
