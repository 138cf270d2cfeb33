import './notifications.css'
import { RoomHead } from '../room-head.tsx'
import { CurlHint } from './curl-hint.tsx'
import { NoticeFeed } from './notice-feed.tsx'
import { NoticeForm } from './notice-form.tsx'

export const NotificationsRoom = () => (
  <section class="room notifications" aria-labelledby="room-title">
    <RoomHead
      title="Notifications"
      about="One channel for everyone and one that only you may read. Only the server publishes in them."
    />
    <div class="notice-desk">
      <NoticeFeed />
      <aside class="notice-side" aria-label="Send a notification">
        <NoticeForm />
        <CurlHint />
      </aside>
    </div>
  </section>
)
