import type { ComponentChildren } from 'preact'
import { ROOMS, room } from './rooms.ts'

/** What stands above every room: its number and name, one sentence, and what the room puts beside them. */
export const RoomHead = ({ title, about, children }: { title: string; about: string; children?: ComponentChildren }) => {
  const number = ROOMS.findIndex(({ id }) => id === room.value) + 1
  return (
    <header class="room-head">
      <div>
        <h2 id="room-title">
          <span class="room-number number" aria-hidden="true">
            {String(number).padStart(2, '0')}
          </span>
          {title}
        </h2>
        <p class="soft">{about}</p>
      </div>
      {children && <div class="room-head-side">{children}</div>}
    </header>
  )
}
