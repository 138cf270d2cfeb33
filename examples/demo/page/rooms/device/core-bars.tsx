import { formatShare } from './units.ts'

/** How busy each core is. */
export const CoreBars = ({ cores }: { cores: readonly number[] }) => (
  <div class="cores">
    <p class="engraved">Cores</p>
    <ul class={cores.length > 12 ? 'core-list many' : 'core-list'}>
      {cores.map((share, index) => (
        <li key={index} aria-label={`Core ${index + 1}: ${formatShare(share)} percent`}>
          <span class="number soft" aria-hidden="true">
            {index + 1}
          </span>
          <span class="core-track" aria-hidden="true">
            <span class="core-bar" style={{ transform: `scaleX(${share})` }} />
          </span>
          <span class="number" aria-hidden="true">
            {formatShare(share)}
          </span>
        </li>
      ))}
    </ul>
  </div>
)
