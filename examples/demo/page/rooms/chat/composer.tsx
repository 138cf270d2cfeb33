import { useSignal } from '@preact/signals'
import type { TargetedSubmitEvent } from 'preact'
import { MAX_CHAT_LENGTH } from '../../../shared/chat-message.ts'
import { say } from './chat-store.ts'
import { sayTyping } from './typing-store.ts'

export const Composer = () => {
  const text = useSignal('')
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault()
    if (text.value.trim() === '') return
    say(text.value)
    text.value = ''
  }
  return (
    <form class="composer" onSubmit={submit}>
      <input
        class="field"
        aria-label="Message"
        placeholder="Say something"
        autocomplete="off"
        enterkeyhint="send"
        maxLength={MAX_CHAT_LENGTH}
        value={text}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value
          if (text.value !== '') sayTyping()
        }}
      />
      <button type="submit" class="button primary">
        Send
      </button>
    </form>
  )
}
