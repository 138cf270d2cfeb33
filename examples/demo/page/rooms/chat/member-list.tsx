import { Avatar } from '../../people/avatar.tsx'
import { identity } from '../../people/identity.ts'
import { present } from './chat-store.ts'

export const MemberList = () => (
  <aside class="members" aria-label="Who is here">
    <h3 class="engraved">Here now</h3>
    <ul>
      {present.value.map((person) => (
        <li key={person.key}>
          <Avatar person={person} small />
          <span class="member-name">{person.name}</span>
          {person.sessions > 1 && <span class="number soft">×{person.sessions}</span>}
          {person.key === identity.value.user && <span class="soft">you</span>}
        </li>
      ))}
    </ul>
  </aside>
)
