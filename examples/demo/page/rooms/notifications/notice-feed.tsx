import { formatClock } from '../../charts/chart-axes.ts'
import { LevelMark } from './level-mark.tsx'
import { notices } from './notice-store.ts'

export const NoticeFeed = () => {
  const list = notices.value
  if (list.length === 0) {
    return <p class="room-empty soft">Nothing yet. Send one to yourself, or to everyone who has this page open.</p>
  }
  return (
    <ol class="notice-feed" aria-label="Notifications, newest first">
      {list.map(({ key, level, text, from, to, time }) => (
        <li key={key} class="notice">
          <LevelMark level={level} />
          <div>
            <p>{text}</p>
            <p class="notice-about soft">
              {from ?? 'A program'} to {to === 'me' ? 'you' : 'everyone'}
            </p>
          </div>
          <time class="number soft" dateTime={new Date(time).toISOString()}>
            {formatClock(time)}
          </time>
        </li>
      ))}
    </ol>
  )
}
