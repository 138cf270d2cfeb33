import type { ComponentChild } from 'preact'
import { hueOf } from '../../people/person.ts'
import { carets } from './caret-store.ts'

/** The same text once more, unseen, to find the places of the others' carets. Set exactly like the text area above it. */
export const CaretLayer = ({ text }: { text: string }) => {
  const parts: ComponentChild[] = []
  let from = 0
  for (const { author, key, name, index } of carets.value) {
    parts.push(
      text.slice(from, index),
      <span key={author} class="caret" style={{ '--hue': hueOf(key) }}>
        {/* A new key at each place: the name shows again whenever the caret has moved. */}
        <b key={index}>{name}</b>
      </span>,
    )
    from = index
  }
  parts.push(text.slice(from))
  return (
    <div class="document-text caret-layer" aria-hidden="true">
      {parts}
      {/* A last line that is empty has no height without something in it. */}
      {'​'}
    </div>
  )
}
