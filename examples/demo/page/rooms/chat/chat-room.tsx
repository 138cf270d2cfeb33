import './chat.css'
import { RoomHead } from '../room-head.tsx'
import { Composer } from './composer.tsx'
import { MemberList } from './member-list.tsx'
import { MessageList } from './message-list.tsx'
import { TypingLine } from './typing-line.tsx'

export const ChatRoom = () => (
  <section class="room chat" aria-labelledby="room-title">
    <RoomHead title="Chat" about="A lobby with its history, who is here, and who is typing. Open a second tab to be two." />
    <div class="chat-desk">
      <div class="chat-talk">
        <MessageList />
        <TypingLine />
        <Composer />
      </div>
      <MemberList />
    </div>
  </section>
)
