import { computed, effect, signal } from '@preact/signals'
import { type Caret, isCaret } from '../../../shared/caret.ts'
import { CHANNELS } from '../../../shared/channels.ts'
import type { AcceptedEdit } from '../../../shared/document-edit.ts'
import { endOfChange, moveIndex } from '../../../shared/text-operation.ts'
import { client } from '../../line/client.ts'
import { type Person, personOf } from '../../people/person.ts'
import { AUTHOR, documentChannel, onEdit, replica } from './document-store.ts'

/** A caret is told at most this often. */
const PAUSE_MS = 150
/** Edits remembered, for carets that are told late. */
const RECENT = 100

interface Known {
  readonly person: Person
  readonly session: string
  /** In the text of the newest version. */
  readonly index: number
}

const channel = client.channel(CHANNELS.carets)
const known = signal<ReadonlyMap<string, Known>>(new Map())
const recent: AcceptedEdit[] = []

/** Where a caret stands after an edit: its author's goes with the change, all others keep their place in the text. */
const afterEdit = (author: string, index: number, edit: AcceptedEdit): number =>
  (edit.author === author ? endOfChange(edit.operation) : undefined) ?? moveIndex(index, edit.operation)

channel.on('publication', ({ data, sender }) => {
  if (!isCaret(data) || !sender || data.author === AUTHOR) return
  const missed = recent.filter(({ version }) => version > data.version)
  const index = missed.reduce((place, edit) => afterEdit(data.author, place, edit), data.index)
  known.value = new Map(known.value).set(data.author, { person: personOf(sender), session: sender.session, index })
})
documentChannel.on('leave', ({ session }) => {
  known.value = new Map([...known.value].filter(([, caret]) => caret.session !== session))
})
onEdit((edit) => {
  recent.push(edit)
  if (recent.length > RECENT) recent.shift()
  known.value = new Map(
    [...known.value].map(([author, caret]) => [author, { ...caret, index: afterEdit(author, caret.index, edit) }]),
  )
  if (told !== undefined) told = afterEdit(AUTHOR, told, edit)
})
void channel.subscribe().catch(() => undefined)

export interface VisibleCaret extends Person {
  readonly author: string
  /** In the text as it is seen here. */
  readonly index: number
}

/** The others' carets, in the order of the text. */
export const carets = computed<readonly VisibleCaret[]>(() => {
  const here = replica.value
  if (!here) return []
  const { local, text } = here
  const visible = (index: number): number => {
    const sent = local.kind === 'synchronized' ? index : moveIndex(index, local.outstanding)
    return Math.min(text.length, local.kind === 'buffering' ? moveIndex(sent, local.buffer) : sent)
  }
  return [...known.value]
    .map(([author, { person, index }]) => ({ ...person, author, index: visible(index) }))
    .sort((one, other) => one.index - other.index)
})

/** Where this tab's caret stands; undefined while the text has no focus. */
export const ownCaret = signal<number | undefined>(undefined)

/** Where the others believe it to stand. */
let told: number | undefined
let due = false

const tell = (): void => {
  due = false
  const here = replica.peek()
  const index = ownCaret.peek()
  // Before the server knows the same text, the index would mean another place to the others.
  if (here?.local.kind !== 'synchronized' || index === undefined || index === told) return
  if (client.connection.status !== 'connected') return
  told = index
  void channel.publish({ author: AUTHOR, version: here.version, index } satisfies Caret).catch(() => undefined)
}

effect(() => {
  if (replica.value === undefined || ownCaret.value === undefined || due) return
  due = true
  setTimeout(tell, PAUSE_MS)
})
