import './avatar.css'
import { hueOf, initialsOf, type Person } from './person.ts'

/** A person's initials on their colour. The name always stands beside it, so it is not read out. */
export const Avatar = ({ person, small = false }: { person: Person; small?: boolean }) => (
  <span class={small ? 'avatar small' : 'avatar'} style={{ '--hue': hueOf(person.key) }} aria-hidden="true">
    {initialsOf(person.name)}
  </span>
)
