import './app.css'
import type { ComponentType } from 'preact'
import { useRef } from 'preact/hooks'
import { LinePanel } from '../line/line-panel.tsx'
import { ChatRoom } from '../rooms/chat/chat-room.tsx'
import { DeviceRoom } from '../rooms/device/device-room.tsx'
import { DocumentRoom } from '../rooms/document/document-room.tsx'
import { MarketRoom } from '../rooms/market/market-room.tsx'
import { NotificationsRoom } from '../rooms/notifications/notifications-room.tsx'
import { Toasts } from '../rooms/notifications/toasts.tsx'
import { type RoomId, room } from '../rooms/rooms.ts'
import { DevelopmentBanner } from './development-banner.tsx'
import { RoomRail } from './room-rail.tsx'
import { TopBar } from './top-bar.tsx'

const VIEWS: Record<RoomId, ComponentType> = {
  chat: ChatRoom,
  market: MarketRoom,
  notifications: NotificationsRoom,
  document: DocumentRoom,
  device: DeviceRoom,
}

export const App = () => {
  const View = VIEWS[room.value]
  const main = useRef<HTMLElement>(null)
  return (
    <>
      <button type="button" class="skip button" onClick={() => main.current?.focus()}>
        Skip to the room
      </button>
      <DevelopmentBanner />
      <TopBar />
      <LinePanel />
      <div class="floor">
        <RoomRail />
        <main ref={main} tabIndex={-1}>
          <View key={room.value} />
        </main>
      </div>
      <Toasts />
    </>
  )
}
