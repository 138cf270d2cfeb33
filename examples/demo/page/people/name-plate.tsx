import './name-plate.css'
import { useSignal } from '@preact/signals'
import type { TargetedSubmitEvent } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { MAX_NAME_LENGTH } from '../../shared/visitor.ts'
import { Avatar } from './avatar.tsx'
import { identity, takeName } from './identity.ts'

/** The visitor's name; a press lets them choose another. */
export const NamePlate = () => {
  const writing = useSignal(false)
  const field = useRef<HTMLInputElement>(null)
  const { user, name } = identity.value

  useEffect(() => {
    if (writing.value) field.current?.select()
  }, [writing.value])

  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const chosen = field.current?.value.trim() ?? ''
    writing.value = false
    if (chosen === '' || chosen === name) return
    takeName(chosen)
    // Others see the name that the token says: a new name is a new token, and a new session.
    location.reload()
  }

  if (!writing.value) {
    return (
      <button
        type="button"
        class="name-plate"
        aria-label={`You are ${name}. Change your name`}
        onClick={() => (writing.value = true)}
      >
        <Avatar person={{ key: user, name }} small />
        <span class="name-plate-name">{name}</span>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="m3 13 .7-3L11 2.7l2.3 2.3L6 12.3Z" />
        </svg>
      </button>
    )
  }
  return (
    <form class="name-plate" onSubmit={submit}>
      <input
        ref={field}
        class="field"
        aria-label="Your name"
        defaultValue={name}
        maxLength={MAX_NAME_LENGTH}
        autocomplete="off"
        onKeyDown={({ key }) => {
          if (key === 'Escape') writing.value = false
        }}
      />
      <button type="submit" class="button">
        Save
      </button>
    </form>
  )
}
