import { line } from '../../line/line-state.ts'
import { problem, replica } from './document-store.ts'

const progress = (): string => {
  const kind = replica.value?.local.kind
  if (kind === undefined) return 'Loading'
  if (kind === 'synchronized') return 'In step with the server'
  if (line.value.status !== 'connected') return 'Written ahead, waiting for the line'
  return 'An edit is under way'
}

/** How far this copy is. */
export const DocumentStatus = () => {
  const here = replica.value
  return (
    <div class="document-status">
      <p class={here?.local.kind === 'synchronized' ? 'document-progress' : 'document-progress ahead'}>{progress()}</p>
      {here && (
        <p class="number soft">
          version {here.version} · {here.text.length} characters
        </p>
      )}
      <p class="form-problem" role="alert">
        {problem}
      </p>
    </div>
  )
}
