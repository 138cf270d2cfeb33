import './transport-switch.css'
import { signal } from '@preact/signals'
import { client } from './client.ts'
import { line } from './line-state.ts'
import { becauseOf } from './outage-store.ts'
import { TRANSPORT_NAMES, type TransportName } from './transport-names.ts'

type Choice = TransportName | 'auto'

const CHOICES = ['auto', ...(Object.keys(TRANSPORT_NAMES) as TransportName[])] as const

const choice = signal<Choice>('auto')

const choose = (next: Choice): void => {
  choice.value = next
  becauseOf('moved')
  client.useTransport(next)
}

/** Forces a transport. The session moves to it without losing anything. */
export const TransportSwitch = () => (
  <fieldset class="transport-switch">
    <legend class="engraved">Transport</legend>
    <div>
      {CHOICES.map((each) => (
        <label key={each}>
          <input type="radio" name="transport" checked={choice.value === each} onChange={() => choose(each)} />
          <span class={line.value.transport === each ? 'in-use' : ''}>{each === 'auto' ? 'Auto' : TRANSPORT_NAMES[each]}</span>
        </label>
      ))}
    </div>
  </fieldset>
)
