import { line } from '../../line/line-state.ts'
import { problem, replica } from './document-store.ts'

interface Progress {
  readonly text: string
  readonly isInStep: boolean
}

const progress = (): Progress => {
  const kind = replica.value?.local.kind
  const isConnected = line.value.status === 'connected'
  if (kind === undefined) return { text: 'Loading', isInStep: false }
  if (kind === 'synchronized')
    return isConnected ? { text: 'In step with the server', isInStep: true } : { text: 'As it was at the cut', isInStep: false }
  return { text: isConnected ? 'An edit is under way' : 'Written ahead, waiting for the line', isInStep: false }
}

/** How far this copy is. */
export const DocumentStatus = () => {
  const here = replica.value
  const { text, isInStep } = progress()
  return (
    <div class="document-status">
      <p class={isInStep ? 'document-progress' : 'document-progress ahead'}>{text}</p>
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
