import './document.css'
import { Avatar } from '../../people/avatar.tsx'
import { RoomHead } from '../room-head.tsx'
import { DocumentEditor } from './document-editor.tsx'
import { DocumentStatus } from './document-status.tsx'
import { editors } from './document-store.ts'

export const DocumentRoom = () => (
  <section class="room document" aria-labelledby="room-title">
    <RoomHead title="Document" about="One text, many hands. Edits made at once are merged; nobody's words are lost.">
      <ul class="editors" aria-label="Who has the document open">
        {editors.value.slice(0, 8).map((person) => (
          <li key={person.key} title={person.name}>
            <Avatar person={person} small />
            <span class="unseen">{person.name}</span>
          </li>
        ))}
        {editors.value.length > 8 && <li class="number soft">+{editors.value.length - 8}</li>}
      </ul>
    </RoomHead>
    <DocumentEditor />
    <DocumentStatus />
  </section>
)
