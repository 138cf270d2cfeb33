import { useSignal } from '@preact/signals'
import { CHANNELS } from '../../../shared/channels.ts'

const command = `curl -k ${location.origin}/v1/publish \\
  -H 'content-type: application/json' \\
  -d '{"channel": "${CHANNELS.everyone}", "data": {"level": "success", "text": "Hello from a terminal"}}'`

/** The other way to send one: the HTTP API, as a backend would. In development mode, programs on the same machine need no key. */
export const CurlHint = () => {
  const copied = useSignal(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(command)
    copied.value = true
    setTimeout(() => {
      copied.value = false
    }, 2000)
  }
  return (
    <div class="curl-hint">
      <h3 class="engraved">Or from a terminal</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
      <pre class="number" tabIndex={0}>
        {command}
      </pre>
      <button type="button" class="button" onClick={() => void copy()}>
        {copied.value ? 'Copied' : 'Copy'}
      </button>
    </div>
  )
}
