import { computed, signal } from '@preact/signals'
import { CHANNELS, METHODS } from '../../../shared/channels.ts'
import type { AcceptedEdit, EditAnswer } from '../../../shared/document-edit.ts'
import { discard, edit, openReplica, outgoing, receive, reopen, type Step } from '../../../shared/document-replica.ts'
import { editsAfter, isSharedDocument, newestOf } from '../../../shared/shared-document.ts'
import { difference } from '../../../shared/text-difference.ts'
import { followPresence } from '../../channels/follow-presence.ts'
import { auditOffsets } from '../../channels/follow-state.ts'
import { client } from '../../line/client.ts'

const RETRY_MS = 1000

/** This tab as an editor; a person may have several. */
export const AUTHOR = crypto.randomUUID()

/**
 * The client keeps this document in step with the server, over cuts as well; the server alone changes it. Edits are asked for by rpc,
 * because they have to be merged, not only to be made on the newest version.
 */
const shared = client.state(CHANNELS.document, { presence: true })

/** Who comes and goes, on the same subscription. */
export const documentChannel = client.channel(CHANNELS.document, { presence: true })

export const editors = followPresence(documentChannel)

/** The newest step: the document as it is here, and what has just changed in it from elsewhere. */
export const step = signal<Step | undefined>(undefined)

export const replica = computed(() => step.value?.replica)

export const problem = signal('')

/** The shared document does not follow from what is here by its edits. */
let isReplaced = false
/** An input method is in the middle of a word: its text must not change under it. */
let isComposing = false
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

export const composing = (underWay: boolean): void => {
  isComposing = underWay
  follow()
}

/** One edit at a time. What fails on the way is sent again: the server takes it once. */
const send = async (): Promise<void> => {
  const before = replica.peek()
  const proposed = before && outgoing(before)
  if (!proposed || sending === proposed.sequence) return
  sending = proposed.sequence
  try {
    const answer = await client.rpc<EditAnswer>(METHODS.editDocument, proposed)
    if (!answer.accepted) refused(answer.reason)
  } catch {
    if (sending === proposed.sequence) sending = undefined
    // When the line is cut, `subscribed` will follow.
    if (client.connection.status === 'connected') setTimeout(send, RETRY_MS)
  }
}

const refused = (reason: 'stale' | 'full' | 'malformed'): void => {
  sending = undefined
  if (reason === 'stale') {
    // The document that the server knows is on its way.
    setTimeout(send, RETRY_MS)
    return
  }
  problem.value =
    reason === 'full' ? 'The document is full: your last edit was taken back.' : 'The server did not understand your last edit.'
  const before = replica.peek()
  if (before) step.value = discard(before)
}

/** Brings what is here up to the shared document; what was typed here, and is not in it, stays. */
const follow = (): void => {
  const document = shared.value
  if (isComposing || !isSharedDocument(document)) return
  const before = replica.peek()
  if (!before) step.value = { replica: openReplica(AUTHOR, newestOf(document, AUTHOR)) }
  else if (isReplaced) step.value = reopen(before, newestOf(document, AUTHOR))
  else for (const accepted of editsAfter(document, before.version)) take(accepted)
  isReplaced = false
  void send()
}

const take = (accepted: AcceptedEdit): void => {
  const before = replica.peek()
  if (!before) return
  step.value = receive(before, accepted)
  for (const listener of listeners) listener(accepted)
}

shared.on('change', ({ patch }) => {
  isReplaced ||= patch === undefined
  follow()
})
shared.on('subscribed', () => {
  sending = undefined
  void send()
})
auditOffsets(CHANNELS.document)
void shared.subscribe().catch(() => undefined)
