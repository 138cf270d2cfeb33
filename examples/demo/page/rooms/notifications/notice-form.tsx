import { useSignal } from '@preact/signals'
import type { TargetedSubmitEvent } from 'preact'
import { LEVELS, type Level, MAX_NOTICE_LENGTH, type NotifyRequest } from '../../../shared/notice.ts'
import { LEVEL_NAMES } from './level-mark.tsx'
import { notify } from './notice-store.ts'

export const NoticeForm = () => {
  const text = useSignal('')
  const level = useSignal<Level>('info')
  const problem = useSignal('')

  const send = async (to: NotifyRequest['to']): Promise<void> => {
    problem.value = ''
    const written = text.value.trim() || `A notification of the level “${LEVEL_NAMES[level.value].toLowerCase()}”`
    try {
      await notify({ to, level: level.value, text: written })
      text.value = ''
    } catch (error) {
      problem.value = `Not sent: ${error instanceof Error ? error.message : 'unknown reason'}`
    }
  }
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault()
    void send('me')
  }

  return (
    <form class="notice-form" onSubmit={submit}>
      <h3 class="engraved">Send one</h3>
      <label class="labelled">
        <span>Text</span>
        <input
          class="field"
          maxLength={MAX_NOTICE_LENGTH}
          placeholder="Deployment finished"
          autocomplete="off"
          value={text}
          onInput={({ currentTarget }) => (text.value = currentTarget.value)}
        />
      </label>
      <fieldset class="levels">
        <legend>Level</legend>
        {LEVELS.map((each) => (
          <label key={each}>
            <input type="radio" name="level" value={each} checked={level.value === each} onChange={() => (level.value = each)} />
            <span>{LEVEL_NAMES[each]}</span>
          </label>
        ))}
      </fieldset>
      <div class="notice-buttons">
        <button type="submit" class="button primary">
          To me
        </button>
        <button type="button" class="button" onClick={() => void send('everyone')}>
          To everyone
        </button>
      </div>
      <p class="form-problem" role="alert">
        {problem}
      </p>
    </form>
  )
}
