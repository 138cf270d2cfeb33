import { typing } from './typing-store.ts'

const phrase = (names: readonly string[]): string => {
  if (names.length === 0) return ''
  if (names.length > 2) return 'Several people are typing'
  return `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} typing`
}

export const TypingLine = () => (
  <p class="typing-line soft" aria-live="polite">
    {phrase(typing.value)}
    {typing.value.length > 0 && (
      <span class="typing-dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
    )}
  </p>
)
