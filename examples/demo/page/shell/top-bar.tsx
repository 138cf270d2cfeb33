import { NamePlate } from '../people/name-plate.tsx'
import { ThemeSwitch } from './theme-switch.tsx'

export const TopBar = () => (
  <header class="top-bar">
    <h1>
      <svg viewBox="0 0 64 24" aria-hidden="true">
        <path d="M0 12h14m36 0h14" />
        <rect x="14" y="4" width="36" height="16" rx="8" />
        <path class="filament" d="M20 12q6-9 12 0t12 0" />
      </svg>
      Fusewire
    </h1>
    <p class="tag-line soft">Five rooms, one line</p>
    <NamePlate />
    <ThemeSwitch />
  </header>
)
