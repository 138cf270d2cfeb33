import { formatClock } from '../../charts/chart-axes.ts'
import { Avatar } from '../../people/avatar.tsx'
import { type Line, sayAgain } from './chat-store.ts'

const SERVER = { key: 'fusewire', name: 'Fusewire' }

/** What one person said in one go. */
export const MessageGroup = ({ lines }: { lines: readonly [Line, ...Line[]] }) => {
  const [{ author, mine, time }] = lines
  return (
    <li class={mine ? 'message-group mine' : 'message-group'}>
      <Avatar person={author ?? SERVER} />
      <div class="message-body">
        <p class="message-head">
          <strong>{mine ? `${author?.name} (you)` : (author ?? SERVER).name}</strong>
          <time class="number soft" dateTime={new Date(time).toISOString()}>
            {formatClock(time)}
          </time>
        </p>
        {lines.map((line) => (
          <p key={line.id} class={`message ${line.state}`}>
            {line.text}
            {line.state === 'pending' && <span class="message-state"> waiting for the line</span>}
            {line.state === 'failed' && (
              <button type="button" class="message-state" onClick={() => sayAgain({ id: line.id, text: line.text })}>
                not sent, try again
              </button>
            )}
          </p>
        ))}
      </div>
    </li>
  )
}
