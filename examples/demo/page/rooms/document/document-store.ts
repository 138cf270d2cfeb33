import { computed, signal } from '@preact/signals'
import { CHANNELS, METHODS } from '../../../shared/channels.ts'
import { type AcceptedEdit, type DocumentSnapshot, type EditAnswer, isProposedEdit } from '../../../shared/document-edit.ts'
import { discard, edit, openReplica, outgoing, receive, reopen, type Step } from '../../../shared/document-replica.ts'
import { difference } from '../../../shared/text-difference.ts'
import { followPresence } from '../../channels/follow-presence.ts'
import { audit } from '../../line/audit.ts'
import { client } from '../../line/client.ts'

const RETRY_MS = 1000

/** This tab as an editor; a person may have several. */
export const AUTHOR = crypto.randomUUID()

export const documentChannel = client.channel(CHANNELS.document, { presence: true })

export const editors = followPresence(documentChannel)

/** The newest step: the document as it is here, and what has just changed in it from elsewhere. */
export const step = signal<Step | undefined>(undefined)

export const replica = computed(() => step.value?.replica)

export const problem = signal('')

/** Why edits of others have to wait: the document is being loaded, or an input method is in the middle of a word. */
const holds = new Set<'opening' | 'composing'>()
const waiting: AcceptedEdit[] = []
/** Sequence of the edit that is on its way to the server. */
let sending: number | undefined

const listeners = new Set<(edit: AcceptedEdit) => void>()

/** Hears of every edit, own ones too, as it becomes part of the document. */
export const onEdit = (listener: (edit: AcceptedEdit) => void): void => {
  listeners.add(listener)
}

/** The person has changed the text; `caret` is where their caret stands now. */
export const type = (text: string, caret: number): void => {
  const before = replica.peek()
  if (!before) return
  problem.value = ''
  step.value = { replica: edit(before, difference(before.text, text, caret)) }
  void send()
}

/** An input method's text must not change under it. */
export const composing = (underWay: boolean): void => {
  if (underWay) holds.add('composing')
  else release('composing')
}

/** One edit at a time. What fails on the way is sent again: the server takes it once. */
const send = async (): Promise<void> => {
  const before = replica.peek()
  const proposed = before && outgoing(before)
  if (!proposed || sending === proposed.sequence) return
  sending = proposed.sequence
  try {
    const answer = await client.rpc<EditAnswer>(METHODS.editDocument, proposed)
    if (!answer.accepted) await refused(answer.reason)
  } catch {
    if (sending === proposed.sequence) sending = undefined
    // When the line is cut, `subscribed` will follow.
    if (client.connection.status === 'connected') setTimeout(send, RETRY_MS)
  }
}

const refused = async (reason: 'stale' | 'full' | 'malformed'): Promise<void> => {
  sending = undefined
  if (reason === 'stale') return open()
  problem.value =
    reason === 'full' ? 'The document is full: your last edit was taken back.' : 'The server did not understand your last edit.'
  const before = replica.peek()
  if (before) step.value = discard(before)
}

const follow = (accepted: AcceptedEdit): void => {
  const before = replica.peek()
  if (!before || accepted.version <= before.version) return
  if (accepted.version > before.version + 1) {
    void open()
    return
  }
  step.value = receive(before, accepted)
  for (const listener of listeners) listener(accepted)
  void send()
}

/** Loads the document, or catches up with it. */
const open = async (): Promise<void> => {
  if (holds.has('opening')) return
  holds.add('opening')
  try {
    const snapshot = await client.rpc<DocumentSnapshot>(METHODS.openDocument, { author: AUTHOR })
    const before = replica.peek()
    step.value = before ? reopen(before, snapshot) : { replica: openReplica(AUTHOR, snapshot) }
  } catch {
    // When the line is cut, `subscribed` will follow.
    if (client.connection.status === 'connected') setTimeout(open, RETRY_MS)
  }
  release('opening')
  void send()
}

const release = (hold: 'opening' | 'composing'): void => {
  holds.delete(hold)
  if (holds.size === 0) for (const accepted of waiting.splice(0)) follow(accepted)
}

documentChannel.on('publication', ({ data, offset }) => {
  audit.received(CHANNELS.document, offset)
  if (!isProposedEdit(data)) return
  if (holds.size > 0) waiting.push(data)
  else follow(data)
})
documentChannel.on('subscribed', ({ recovered }) => {
  sending = undefined
  if (recovered && replica.peek()) void send()
  else void open()
})
void documentChannel.subscribe().catch(() => undefined)
