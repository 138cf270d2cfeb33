import { useEffect, useRef } from 'preact/hooks'
import { type Line, lines } from './chat-store.ts'
import { MessageGroup } from './message-group.tsx'

/** One person's messages within this time stand under one name. */
const GROUP_MS = 3 * 60_000
/** Whoever has scrolled up by more than this is reading, and is left alone. */
const READING_PX = 80

const groupsOf = (list: readonly Line[]): (readonly [Line, ...Line[]])[] => {
  const groups: [Line, ...Line[]][] = []
  for (const line of list) {
    const group = groups.at(-1)
    const last = group?.at(-1)
    if (group && last && last.author?.key === line.author?.key && line.time - last.time < GROUP_MS) group.push(line)
    else groups.push([line])
  }
  return groups
}

export const MessageList = () => {
  const list = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const said = lines.value

  // Whenever something is said.
  useEffect(() => {
    const element = list.current
    if (element && (atEnd.current || said.at(-1)?.state === 'pending')) element.scrollTop = element.scrollHeight
  }, [said])

  return (
    <div
      class="messages"
      ref={list}
      role="log"
      aria-label="Messages"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < READING_PX
      }}
    >
      <ol>
        {groupsOf(said).map((group) => (
          <MessageGroup key={group[0].id} lines={group} />
        ))}
      </ol>
    </div>
  )
}
