import { CHANNELS } from '../shared/channels.ts'
import { DocumentAuthority } from '../shared/document-authority.ts'
import { type DocumentSnapshot, type EditAnswer, isProposedEdit } from '../shared/document-edit.ts'
import { fieldsOf, isText } from '../shared/fields.ts'
import type { Publish } from './feed.ts'
import { WELCOME_TEXT } from './welcome-text.ts'

/**
 * The shared text. Clients cannot publish in its channel: they ask here, this decides the order, and everyone hears of each
 * edit by one publication.
 */
export const createDocumentRoom = (publish: Publish) => {
  const authority = new DocumentAuthority(WELCOME_TEXT)
  return {
    open(data: unknown): DocumentSnapshot {
      const { author } = fieldsOf(data)
      return authority.open(isText(author, 64) ? author : '')
    },

    async edit(data: unknown): Promise<EditAnswer> {
      if (!isProposedEdit(data)) return { accepted: false, reason: 'malformed' }
      const { answer, edit } = authority.submit(data)
      if (edit) await publish(CHANNELS.document, edit)
      return answer
    },
  }
}
