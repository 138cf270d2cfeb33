import type { RoomId } from '../rooms/rooms.ts'

const SHAPES: Record<RoomId, string> = {
  chat: 'M4 5h16v11H10l-4 4v-4H4ZM8 9h8M8 12h5',
  market: 'M3 19h18M4 15l5-5 4 3 7-8M20 5v4M20 5h-4',
  notifications: 'M6 17V11a6 6 0 0 1 12 0v6l2 1H4ZM10 21h4',
  document: 'M6 3h9l4 4v14H6ZM15 3v4h4M9 12h7M9 16h5',
  device: 'M7 7h10v10H7ZM10 3v4M14 3v4M10 17v4M14 17v4M3 10h4M3 14h4M17 10h4M17 14h4',
}

export const RoomMark = ({ room }: { room: RoomId }) => (
  <svg class="room-mark" viewBox="0 0 24 24" aria-hidden="true">
    <path d={SHAPES[room]} />
  </svg>
)
