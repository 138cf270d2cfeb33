import './toasts.css'
import { useEffect, useRef } from 'preact/hooks'
import { LevelMark } from './level-mark.tsx'
import { dismissToast, type Received, toasts } from './notice-store.ts'

const SHOWN_MS = 6000

/** Notifications over whatever room is open. They go by themselves, but not from under a pointer or the keyboard's focus. */
export const Toasts = () => (
  <div class="toasts" role="status" aria-live="polite" aria-label="New notifications">
    {toasts.value.map((toast) => (
      <Toast key={toast.key} toast={toast} />
    ))}
  </div>
)

const Toast = ({ toast: { key, level, text, from, to } }: { toast: Received }) => {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const hold = (): void => clearTimeout(timer.current)
  const release = (): void => {
    hold()
    timer.current = setTimeout(() => dismissToast(key), SHOWN_MS)
  }
  // The clock starts once, when the toast appears.
  useEffect(() => {
    release()
    return hold
  }, [])

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: nothing to operate, the toast only waits while it is being read
    <div class={`toast ${level}`} onMouseEnter={hold} onMouseLeave={release} onFocusIn={hold} onFocusOut={release}>
      <LevelMark level={level} />
      <div>
        <p>{text}</p>
        <p class="soft">
          {from ?? 'A program'} to {to === 'me' ? 'you' : 'everyone'}
        </p>
      </div>
      <button type="button" class="toast-close" aria-label="Dismiss" onClick={() => dismissToast(key)}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="m4 4 8 8m0-8-8 8" />
        </svg>
      </button>
    </div>
  )
}
