import { isTextOperation, type TextOperation } from './text-operation.ts'

/** What an editor asks the server to do. `author` and `sequence` name the edit, so that sending it twice does it once. */
export interface ProposedEdit {
  /** The version of the document that the operation was made on. */
  readonly version: number
  readonly operation: TextOperation
  /** One editor: a tab, not a person. */
  readonly author: string
  /** 1 for the author's first edit, then one more each. */
  readonly sequence: number
}

/** What the server made of it, as everyone hears it: `operation` turns version `version - 1` into `version`. */
export type AcceptedEdit = ProposedEdit

/** The newest version of the document, for the editor that `applied` is about. */
export interface DocumentSnapshot {
  readonly version: number
  readonly text: string
  /** The sequence of the last edit of this author that is in the text; 0 for none. */
  readonly applied: number
}

/** How the server answers an edit. */
export type EditAnswer =
  | { readonly accepted: true }
  /** `stale`: made on a version that is not known any more, or not yet. `full`: the text would grow too long. */
  | { readonly accepted: false; readonly reason: 'stale' | 'full' | 'malformed' }

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

/** Accepts what came over the wire. */
export const isProposedEdit = (value: unknown): value is ProposedEdit => {
  if (typeof value !== 'object' || value === null) return false
  const { version, operation, author, sequence } = value as Partial<Record<keyof ProposedEdit, unknown>>
  return (
    isCount(version) &&
    isTextOperation(operation) &&
    isCount(sequence) &&
    typeof author === 'string' &&
    author.length > 0 &&
    author.length <= 64
  )
}
