import { type AcceptedEdit, type DocumentSnapshot, isProposedEdit } from './document-edit.ts'
import { fieldsOf } from './fields.ts'
import { apply } from './text-operation.ts'

/**
 * The document as its state channel keeps it: the text of a version, and the edits since then by their own versions. An edit is a merge
 * patch that adds one member to `edits`; from time to time all of them are written into the text, and the document is a new one.
 */
export interface SharedDocument {
  readonly version: number
  readonly text: string
  /** The sequence of the last edit of each author that is in the text. */
  readonly applied: Readonly<Record<string, number>>
  readonly edits: Readonly<Record<string, AcceptedEdit>>
}

/** Accepts what came over the wire. */
export const isSharedDocument = (value: unknown): value is SharedDocument => {
  const { version, text, applied, edits } = fieldsOf(value)
  return (
    Number.isSafeInteger(version) &&
    typeof text === 'string' &&
    typeof applied === 'object' &&
    Object.values(fieldsOf(edits)).every(isProposedEdit)
  )
}

/** The edits that follow a version, one by one; empty when the next of them is not there. */
export const editsAfter = ({ edits }: SharedDocument, version: number): readonly AcceptedEdit[] => {
  const following: AcceptedEdit[] = []
  for (let next = edits[version + 1]; next; next = edits[next.version + 1]) following.push(next)
  return following
}

/** The newest version, as one author sees it. */
export const newestOf = (document: SharedDocument, author: string): DocumentSnapshot => {
  const snapshot = { version: document.version, text: document.text, applied: document.applied[author] ?? 0 }
  return editsAfter(document, document.version).reduce(
    ({ text, applied }, edit) => ({
      version: edit.version,
      text: apply(text, edit.operation),
      applied: edit.author === author ? edit.sequence : applied,
    }),
    snapshot,
  )
}
