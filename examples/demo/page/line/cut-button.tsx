import './cut-button.css'
import { line } from './line-state.ts'
import { CUTS, chosenCut, cutLine, heldUntil } from './scissors.ts'

const cutName = (seconds: number): string => (seconds === 0 ? 'a moment' : `${seconds} s`)

/** Cuts the line, to see it heal. */
export const CutButton = () => {
  const down = line.value.status !== 'connected' || heldUntil.value > 0
  return (
    <div class="cut">
      <button type="button" class="button primary" disabled={down} onClick={cutLine}>
        <svg viewBox="0 0 24 16" aria-hidden="true">
          <path d="M1 8h6l2-4M23 8h-6l-2 4M12 2v2.5M12 11.5V14" />
        </svg>
        Cut the line
      </button>
      <label>
        <span>for</span>
        <select
          class="field"
          aria-label="For how long"
          value={chosenCut.value}
          onChange={({ currentTarget }) => {
            chosenCut.value = CUTS.find((seconds) => seconds === Number(currentTarget.value)) ?? 0
          }}
        >
          {CUTS.map((seconds) => (
            <option key={seconds} value={seconds}>
              {cutName(seconds)}
            </option>
          ))}
        </select>
      </label>
    </div>
  )
}
