import './room-rail.css'
import type { ComponentChild } from 'preact'
import { present } from '../rooms/chat/chat-store.ts'
import { newestReading } from '../rooms/device/device-store.ts'
import { formatShare } from '../rooms/device/units.ts'
import { replica } from '../rooms/document/document-store.ts'
import { QUOTES } from '../rooms/market/market-store.ts'
import { arrowOf, formatPrice, toneOf } from '../rooms/market/money.ts'
import { unread } from '../rooms/notifications/notice-store.ts'
import { ROOMS, type RoomId, room } from '../rooms/rooms.ts'
import { RoomMark } from './room-mark.tsx'

/** The way between the rooms; each shows a live sign of what goes on in it. */
export const RoomRail = () => (
  <nav class="rail" aria-label="Rooms">
    <ul>
      {ROOMS.map(({ id, title, short }) => {
        const Sign = SIGNS[id]
        return (
          <li key={id}>
            <a href={`#${id}`} aria-current={room.value === id ? 'page' : undefined}>
              <RoomMark room={id} />
              <span class="rail-title">{title}</span>
              <span class="rail-short">{short}</span>
              <span class="rail-sign number">
                <Sign />
              </span>
            </a>
          </li>
        )
      })}
    </ul>
  </nav>
)

const SIGNS: Record<RoomId, () => ComponentChild> = {
  chat: () => (present.value.length > 0 ? `${present.value.length} here` : '–'),
  market: () => {
    const summary = QUOTES[0]?.summary.value
    if (!summary) return '–'
    return (
      <span class={toneOf(summary.change)}>
        {arrowOf(summary.change)} {formatPrice(summary.price)}
      </span>
    )
  },
  notifications: () => (unread.value > 0 ? <span class="unread">{unread.value} new</span> : 'none new'),
  document: () => (replica.value ? `v ${replica.value.version}` : '–'),
  device: () => (newestReading.value ? `${formatShare(newestReading.value.cpu)} %` : '–'),
}
