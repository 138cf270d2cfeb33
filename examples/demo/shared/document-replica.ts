import type { AcceptedEdit, DocumentSnapshot, ProposedEdit } from './document-edit.ts'
import { difference } from './text-difference.ts'
import { apply, compose, isIdle, type TextOperation, transform } from './text-operation.ts'

/**
 * One editor's copy of the document: what the server has said, and what was typed since.
 *
 *                 typed                   typed
 *   synchronized ───────▶ awaiting ────────────────▶ buffering ─┐ typed
 *        ▲                 │    ▲                        │   ▲──┘
 *        └── acknowledged ─┘    └───── acknowledged ─────┘
 *
 * One edit is under way at a time; what is typed meanwhile is gathered into the next.
 */
export interface Replica {
  readonly author: string
  readonly version: number
  /** The text as of `version`. */
  readonly serverText: string
  /** What the person sees: `serverText`, then `outstanding`, then `buffer`. */
  readonly text: string
  readonly local: LocalEdits
}

export type LocalEdits =
  | { readonly kind: 'synchronized'; readonly sequence: number }
  | { readonly kind: 'awaiting'; readonly sequence: number; readonly outstanding: TextOperation }
  | { readonly kind: 'buffering'; readonly sequence: number; readonly outstanding: TextOperation; readonly buffer: TextOperation }

/** The copy after a step, and by what the visible text has changed (for carets); undefined when it has not. */
export interface Step {
  readonly replica: Replica
  readonly change?: TextOperation
}

export const openReplica = (author: string, { version, text, applied }: DocumentSnapshot): Replica => ({
  author,
  version,
  serverText: text,
  text,
  local: { kind: 'synchronized', sequence: applied },
})

/** The person has changed the visible text by `operation`. */
export const edit = (replica: Replica, operation: TextOperation): Replica => {
  if (isIdle(operation)) return replica
  const { local } = replica
  const text = apply(replica.text, operation)
  switch (local.kind) {
    case 'synchronized':
      return { ...replica, text, local: { kind: 'awaiting', sequence: local.sequence + 1, outstanding: operation } }
    case 'awaiting':
      return { ...replica, text, local: { ...local, kind: 'buffering', buffer: operation } }
    case 'buffering':
      return { ...replica, text, local: { ...local, buffer: compose(local.buffer, operation) } }
  }
}

/** What must reach the server now. Sending it again, after a cut, is harmless. */
export const outgoing = ({ author, version, local }: Replica): ProposedEdit | undefined =>
  local.kind === 'synchronized' ? undefined : { author, version, sequence: local.sequence, operation: local.outstanding }

/** The server has told of the edit that follows `version`. Throws when it is another one: versions grow by one. */
export const receive = (replica: Replica, accepted: AcceptedEdit): Step => {
  if (accepted.version !== replica.version + 1) throw new RangeError('An edit is missing in between')
  const { local, author } = replica
  if (local.kind !== 'synchronized' && accepted.author === author && accepted.sequence === local.sequence) {
    return { replica: acknowledge(replica, local, accepted.version, apply(replica.serverText, accepted.operation)) }
  }
  return follow(replica, accepted.version, accepted.operation)
}

/**
 * Catches up with a server whose edits in between are not to be had any more: everything missed is taken as one edit. What
 * was typed here is kept and goes on from there.
 */
export const reopen = (replica: Replica, snapshot: DocumentSnapshot): Step => {
  const { local } = replica
  if (local.kind === 'synchronized' || snapshot.applied < local.sequence) {
    return follow(replica, snapshot.version, difference(replica.serverText, snapshot.text))
  }
  // The outstanding edit had arrived, only its acknowledgement was lost.
  const known = apply(replica.serverText, local.outstanding)
  const acknowledged = acknowledge({ ...replica, serverText: known }, local, snapshot.version, known)
  return follow(acknowledged, snapshot.version, difference(known, snapshot.text))
}

/** Gives up what the server has refused: the visible text becomes the server's. */
export const discard = (replica: Replica): Step => ({
  replica: { ...replica, text: replica.serverText, local: { kind: 'synchronized', sequence: replica.local.sequence } },
  change: difference(replica.text, replica.serverText),
})

const acknowledge = (replica: Replica, local: LocalEdits, version: number, serverText: string): Replica => ({
  ...replica,
  version,
  serverText,
  local:
    local.kind === 'buffering'
      ? { kind: 'awaiting', sequence: local.sequence + 1, outstanding: local.buffer }
      : { kind: 'synchronized', sequence: local.sequence },
})

/** Takes someone else's edit in, before what is still only here. */
const follow = (replica: Replica, version: number, operation: TextOperation): Step => {
  const serverText = apply(replica.serverText, operation)
  const { local } = replica
  if (local.kind === 'synchronized') return { replica: { ...replica, version, serverText, text: serverText }, change: operation }

  const [afterOutstanding, outstanding] = transform(operation, local.outstanding)
  if (local.kind === 'awaiting') {
    const text = apply(replica.text, afterOutstanding)
    return { replica: { ...replica, version, serverText, text, local: { ...local, outstanding } }, change: afterOutstanding }
  }
  const [change, buffer] = transform(afterOutstanding, local.buffer)
  const text = apply(replica.text, change)
  return { replica: { ...replica, version, serverText, text, local: { ...local, outstanding, buffer } }, change }
}
