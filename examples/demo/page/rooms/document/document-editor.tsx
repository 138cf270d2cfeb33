import { effect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { moveIndex } from '../../../shared/text-operation.ts'
import { CaretLayer } from './caret-layer.tsx'
import { ownCaret } from './caret-store.ts'
import { composing, replica, step, type } from './document-store.ts'

/** A plain text area that others write into as well. */
export const DocumentEditor = () => {
  const area = useRef<HTMLTextAreaElement>(null)

  // Not by rendering: each step moves the selection by what it has changed, so none may be skipped.
  useEffect(
    () =>
      effect(() => {
        const element = area.current
        const newest = step.value
        if (!element || !newest || element.value === newest.replica.text) return
        const { selectionStart, selectionEnd, selectionDirection } = element
        element.value = newest.replica.text
        const moved = (index: number): number => (newest.change ? moveIndex(index, newest.change) : index)
        // Elsewhere on the page, setting a selection would take the focus in some browsers.
        if (document.activeElement === element) {
          element.setSelectionRange(moved(selectionStart), moved(selectionEnd), selectionDirection)
          ownCaret.value = element.selectionEnd
        }
      }),
    [],
  )

  useEffect(() => {
    const follow = (): void => {
      const element = area.current
      if (element && document.activeElement === element) ownCaret.value = element.selectionEnd
    }
    document.addEventListener('selectionchange', follow)
    return () => {
      document.removeEventListener('selectionchange', follow)
      ownCaret.value = undefined
    }
  }, [])

  const read = ({ value, selectionEnd }: HTMLTextAreaElement): void => {
    type(value, selectionEnd)
    ownCaret.value = selectionEnd
  }
  return (
    <div class="document-paper">
      <div class="document-sheet">
        <CaretLayer text={replica.value?.text ?? ''} />
        <textarea
          ref={area}
          class="document-text"
          aria-label="Shared text"
          spellcheck={false}
          disabled={replica.value === undefined}
          onInput={({ currentTarget, isComposing }) => {
            if (!isComposing) read(currentTarget)
          }}
          onCompositionStart={() => composing(true)}
          onCompositionEnd={({ currentTarget }) => {
            read(currentTarget)
            composing(false)
          }}
        />
      </div>
    </div>
  )
}
