import { CHANNELS } from '../shared/channels.ts'
import { DocumentAuthority } from '../shared/document-authority.ts'
import { type EditAnswer, isProposedEdit } from '../shared/document-edit.ts'
import type { Publish } from './feed.ts'
import { WELCOME_TEXT } from './welcome-text.ts'

/** Characters of the edits that whoever opens the document gets beside its text, until they are written into it. */
const MAX_EDITS_LENGTH = 40_000

/**
 * The shared text. Clients cannot publish in its channel: they ask here, and this decides the order. The channel keeps the document, so
 * nobody has to ask for it: each edit is a small patch of it, and those who come later, or come back, get what they lack.
 */
export const createDocumentRoom = (publish: Publish) => {
  const authority = new DocumentAuthority(WELCOME_TEXT)
  let editsLength = 0

  const publishAll = async (): Promise<void> => {
    editsLength = 0
    await publish(CHANNELS.document, authority.document())
  }
  return {
    open: publishAll,

    async edit(data: unknown): Promise<EditAnswer> {
      if (!isProposedEdit(data)) return { accepted: false, reason: 'malformed' }
      const { answer, edit } = authority.submit(data)
      if (edit) {
        editsLength += JSON.stringify(edit).length
        await publish(CHANNELS.document, { edits: { [edit.version]: edit } }, { patch: true })
        if (editsLength > MAX_EDITS_LENGTH) await publishAll()
      }
      return answer
    },
  }
}
